"""Reads stack.yml, for the local runtime, the manifests and the gateways."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from croniter import croniter

ROUTE = "instance-ha.route"
EVENTS = "instance-ha.events"
_CRON = "cron-function"
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class StackError(Exception):
    """stack.yml is wrong; the text is one line that says where."""


@dataclass(frozen=True)
class Function:
    """A function of stack.yml."""

    name: str
    folder: Path
    route: re.Pattern[str] | None = None
    schedule: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    image: str = ""  # with its variables, as it stands there
    secrets: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, str] = field(default_factory=dict)

    @property
    def events(self) -> tuple[str, ...]:
        """The types of the events that it takes."""
        return tuple(text.strip() for text in self.annotations.get(EVENTS, "").split(",") if text.strip())

    @property
    def target(self) -> str:
        """The name of the Python function in its main.py."""
        return self.name.replace("-", "_")

    @property
    def source(self) -> Path:
        """The file that holds it."""
        return self.folder / "main.py"


class _Unambiguous(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, as faas-cli does; YAML itself would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [str(key.value) for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(problem=f"{', '.join(sorted(twice))} stands twice")
        return super().construct_mapping(node, deep)


def load(path: Path) -> dict[str, Any]:
    """Read the file as it is, with all its keys.

    Raises:
        StackError: it is none, or has no functions.

    """
    try:
        stack = yaml.load(path.read_text(), _Unambiguous)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise StackError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise StackError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    entries = stack.get("functions") if isinstance(stack, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise StackError(f"{path}: it has no functions")
    return dict(stack)


def read(path: Path) -> tuple[Function, ...]:
    """Read all functions, in the order of the file.

    Raises:
        StackError: the file is wrong.

    """
    return tuple(_function(path, str(name), entry) for name, entry in load(path)["functions"].items())


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """Put variables into ``${NAME}`` and ``${NAME:-default}``, as faas-cli does."""
    return _VARIABLE.sub(lambda found: variables.get(found[1]) or found[2] or "", text)


def _function(path: Path, name: str, entry: Any) -> Function:
    where = f"{path}: function {name}"
    if not isinstance(entry, dict) or not isinstance(entry.get("handler"), str):
        raise StackError(f"{where}: it has no handler")
    annotations = _texts(where, entry, "annotations")
    function = Function(
        name=name,
        folder=path.parent / entry["handler"],
        route=_route(where, annotations.get(ROUTE)),
        schedule=_schedule(where, annotations),
        environment=_texts(where, entry, "environment"),
        image=str(entry.get("image") or ""),
        secrets=_names(where, entry, "secrets"),
        annotations=annotations,
        limits=_texts(where, entry, "limits"),
        requests=_texts(where, entry, "requests"),
    )
    if not function.source.is_file():
        raise StackError(f"{where}: there is no {function.source}")
    return function


def _texts(where: str, entry: dict[str, Any], key: str) -> dict[str, str]:
    values = entry.get(key) or {}
    if not isinstance(values, dict):
        raise StackError(f"{where}: {key} must be names with values")
    return {str(name): str(value) for name, value in values.items()}


def _names(where: str, entry: dict[str, Any], key: str) -> tuple[str, ...]:
    values = entry.get(key) or []
    if not isinstance(values, list):
        raise StackError(f"{where}: {key} must be a list")
    return tuple(str(value) for value in values)


def _route(where: str, text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise StackError(f"{where}: the route is no regular expression: {error}") from None


def _schedule(where: str, annotations: Mapping[str, str]) -> str | None:
    """Return the schedule; OpenFaaS' cron-connector looks at it only beside its topic."""
    schedule = annotations.get("schedule")
    if (schedule is None) != (annotations.get("topic") != _CRON):
        raise StackError(f"{where}: the annotations schedule and topic: {_CRON} belong together")
    if schedule is not None and not croniter.is_valid(schedule):
        raise StackError(f"{where}: {schedule!r} is no schedule")
    return schedule


def routed(functions: tuple[Function, ...], path: str) -> str | None:
    """Name the function that answers a public path: the first whose route matches."""
    return next((f.name for f in functions if f.route is not None and f.route.search(path)), None)
