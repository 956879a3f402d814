"""The file of customised flows, in the format of masakari's ``[taskflow_driver_recovery_flows]``."""

import ast
import re
from collections.abc import Callable, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

from instance_ha.models.enums import Flow
from instance_ha.models.errors import Misconfigured

_SECTION = "taskflow_driver_recovery_flows"
_PARTS = ("pre", "main", "post")
_LIST = r"(\w+)\s*:\s*(\[[^\]]*\])"
_LISTS = re.compile(rf"{_LIST}(\s*,\s*{_LIST})*")


def read(path: Path, check: Callable[[Flow, str], None]) -> dict[Flow, tuple[str, ...]]:
    """Read the flows that a file changes; ``check`` refuses a task that a flow cannot have.

    Raises:
        Misconfigured: names the file, the option and what is wrong with it.

    """
    parser = ConfigParser(interpolation=None, strict=True)
    try:
        parser.read_string(path.read_text())
    except (OSError, ConfigError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    if parser.sections() != [_SECTION]:
        raise Misconfigured(f"{path} must have the one section [{_SECTION}]")
    flows = {}
    for option, text in parser[_SECTION].items():
        try:
            flows[_flow(option)] = _tasks(_flow(option), text, check)
        except Misconfigured as error:
            raise Misconfigured(f"{path}, {option}: {error}") from None
    return flows


def _flow(option: str) -> Flow:
    try:
        return Flow(option)
    except ValueError:
        raise Misconfigured(f"unknown option; there are {', '.join(Flow)}") from None


def _tasks(flow: Flow, text: str, check: Callable[[Flow, str], None]) -> tuple[str, ...]:
    parts = _parse(text)
    if set(parts) != set(_PARTS):
        raise Misconfigured("the lists pre, main and post are needed, and no others (an empty one is [])")
    names = tuple(name for part in _PARTS for name in parts[part])
    if not names:
        raise Misconfigured("the flow has no task")
    for name in names:
        check(flow, name)
    return names


def _parse(text: str) -> Mapping[str, list[str]]:
    """Read ``pre:[...],main:[...],post:[...]``, or the same as a dictionary, as the guide of Masakari shows it."""
    text = " ".join(text.split())
    try:
        if text.startswith("{"):
            parts = ast.literal_eval(text)
        elif _LISTS.fullmatch(text):
            found = re.findall(_LIST, text)
            if len({key for key, _ in found}) != len(found):
                raise Misconfigured("a list is given twice")
            parts = {key: ast.literal_eval(value) for key, value in found}
        else:
            raise SyntaxError
    except (ValueError, SyntaxError):
        raise Misconfigured("is not of the form pre:[...],main:[...],post:[...] with names in quotes") from None
    if not isinstance(parts, dict) or not all(_is_names(value) for value in parts.values()):
        raise Misconfigured("each of pre, main and post is a list of names in quotes")
    return parts


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name for name in value)
