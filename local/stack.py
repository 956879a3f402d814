"""stack.yml, as far as the local runtime looks at it: which functions there are, their routes and schedules."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from croniter import croniter

ROUTE = "instance-ha.route"


class StackError(Exception):
    """stack.yml is wrong; the text is one line that says where."""


@dataclass(frozen=True)
class Function:
    """A function of stack.yml."""

    name: str
    folder: Path
    route: re.Pattern[str] | None = None
    schedule: str | None = None

    @property
    def target(self) -> str:
        """The name of the Python function in its main.py."""
        return self.name.replace("-", "_")


def read(path: Path) -> tuple[Function, ...]:
    """Read all functions, in the order of the file.

    Raises:
        StackError: the file is wrong.

    """
    try:
        stack = yaml.safe_load(path.read_text())
        entries = dict(stack["functions"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise StackError(f"{path} is no stack.yml: {error!r}") from None
    return tuple(_function(path, name, entry) for name, entry in entries.items())


def _function(path: Path, name: str, entry: dict[str, Any]) -> Function:
    annotations = entry.get("annotations") or {}
    folder = path.parent / str(entry.get("handler", ""))
    if not (folder / "main.py").is_file():
        raise StackError(f"{path}: function {name}: there is no {folder}/main.py")
    schedule = annotations.get("schedule")
    if schedule is not None and not croniter.is_valid(schedule):
        raise StackError(f"{path}: function {name}: {schedule!r} is no schedule")
    try:
        route = re.compile(annotations[ROUTE]) if ROUTE in annotations else None
    except re.error as error:
        raise StackError(f"{path}: function {name}: the route is no regular expression: {error}") from None
    return Function(name, folder, route, schedule)


def routed(functions: tuple[Function, ...], path: str) -> str | None:
    """Name the function that answers a public path: the first whose route matches."""
    return next((f.name for f in functions if f.route is not None and f.route.search(path)), None)
