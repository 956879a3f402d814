"""The file of customised flows: ``[taskflow_driver_recovery_flows]`` as in masakari.conf (reference, section 5.2)."""

import re
from ast import literal_eval
from collections.abc import Callable
from configparser import Error, RawConfigParser
from dataclasses import dataclass

from instance_ha.decide.flows import Flow

SECTION = "taskflow_driver_recovery_flows"
PARTS = ("pre", "main", "post")

_NAME = r"""(?:'[^']*'|"[^"]*")"""
_PART = rf"(\w+)\s*:\s*(\[\s*(?:{_NAME}\s*(?:,\s*{_NAME}\s*)*,?\s*)?\])"
_WHOLE = re.compile(rf"{_PART}\s*(?:,\s*{_PART}\s*)*,?")


@dataclass(frozen=True)
class FlowFile:
    """The tasks of each flow that the file names, in the order in which they run, and what is wrong with the file."""

    flows: dict[Flow, tuple[str, ...]]
    problems: tuple[str, ...]


def read(text: str, known: Callable[[str], bool]) -> FlowFile:
    """Read the file's text; ``known`` says whether there is a task of a name."""
    parser = RawConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except Error as error:
        return FlowFile({}, (f"the file has no valid syntax: {' '.join(str(error).split())}",))
    if not parser.has_section(SECTION):
        return FlowFile({}, (f"there is no section [{SECTION}]",))
    flows: dict[Flow, tuple[str, ...]] = {}
    problems: list[str] = []
    for option, value in parser.items(SECTION):
        if option not in set(Flow):
            problems.append(f"unknown option {option}: there are {', '.join(Flow)}")
            continue
        names, wrong = _tasks(value)
        wrong += [f"there is no task {name}" for name in names if not known(name)]
        flows[Flow(option)] = tuple(names)
        problems += [f"{option}: {problem}" for problem in wrong]
    return FlowFile(flows, tuple(problems))


def _tasks(value: str) -> tuple[list[str], list[str]]:
    """Return the names of an option's tasks, in order, and what is wrong with it."""
    whole = value.strip()
    if whole.startswith("{") and whole.endswith("}"):
        whole = whole[1:-1].strip()
    if not _WHOLE.fullmatch(whole):
        return [], ["write it as pre:['a_task'],main:['b_task'],post:[]"]
    lists: dict[str, list[str]] = {}
    wrong = []
    for part, names in re.findall(_PART, whole):
        if part not in PARTS or part in lists:
            wrong.append(f"{part}: is {'there twice' if part in lists else 'none of pre, main, post'}")
        lists[part] = literal_eval(names)
    wrong += [f"the list {part} is missing; it may be empty" for part in PARTS if part not in lists]
    names = [name for part in PARTS for name in lists.get(part, [])]
    return names, wrong + ([] if names or wrong else ["there is no task in it"])
