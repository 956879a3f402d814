"""Reads the files of a folder; whatever is wrong is told with its file, line and key."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from instance_ha_simulator.folder.base import MISSING, Part, in_words
from instance_ha_simulator.folder.faults import Faults
from instance_ha_simulator.folder.references import Place, unknown_names
from instance_ha_simulator.folder.world import World


class FolderError(Exception):
    """A folder cannot be used; the text has a line for each reason: ``FILE:LINE: KEY: what is wrong``."""


class Files(NamedTuple):
    """What the two files say, as plain data that has been checked."""

    world: dict[str, Any]
    faults: dict[str, Any]


def read(folder: Path) -> Files:
    """Read a folder.

    Raises:
        FolderError: it has no world.yaml, or a file says what it may not.

    """
    world = _File(folder / "world.yaml")
    faults = _File(folder / "faults.yaml", optional=True)
    if wrong := [*world.wrong(World), *faults.wrong(Faults)]:
        raise FolderError("\n".join(wrong))
    if wrong := [world.line(place, what) for place, what in unknown_names(World.model_validate(world.data))]:
        raise FolderError("\n".join(wrong))
    return Files(world.data, faults.data)


def check(world: Mapping[str, Any]) -> None:
    """Check a world that does not come from a file.

    Raises:
        FolderError: it says what it may not.

    """
    wrong = list(complaints(World, world)) or list(unknown_names(World.model_validate(world)))
    if wrong:
        raise FolderError("\n".join(f"{'.'.join(map(str, place))}: {what}" for place, what in wrong))


def complaints(model: type[Part], data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Say what is wrong with plain data, and where."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        for one in error.errors():
            yield one["loc"], in_words(one)


class _File:
    """A YAML file, with the lines of its keys."""

    def __init__(self, path: Path, *, optional: bool = False) -> None:
        self._path = path
        text = "" if optional and not path.exists() else self._text()
        try:
            self._root = yaml.compose(text, yaml.SafeLoader)
            data = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise FolderError(f"{path}:{line}: this is not valid YAML: {error.problem}") from None
        if data is not None and not isinstance(data, dict):
            raise FolderError(f"{path}:1: a mapping is needed")
        self.data: dict[str, Any] = data or {}

    def _text(self) -> str:
        try:
            return self._path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise FolderError(f"{self._path}: cannot be read: {reason}") from None

    def wrong(self, model: type[Part]) -> list[str]:
        """Return a line for what the model refuses, and for keys that stand twice in one mapping."""
        twice = [self.line(place, "this key is there twice") for place in _twice(self._root, ())]
        return twice + [self.line(place, what) for place, what in complaints(model, self.data)]

    def line(self, place: Place, what: str) -> str:
        """Write a line about a value."""
        node, number, keys = self._root, 1, []
        for key in place:
            found = [pair for pair in _children(node) if pair[0] == key]
            if found:
                _, number, node = found[-1]
            if found or what == MISSING:  # else a word of pydantic's for one of several types
                keys.append(str(key))
        return f"{self._path}:{number}: {'.'.join(keys) + ': ' if keys else ''}{what}"


def _children(node: yaml.Node | None) -> Iterator[tuple[str | int, int, yaml.Node]]:
    """Walk the values of a mapping or a list, each with its key and the line of that."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield position, value.start_mark.line + 1, value


def _twice(node: yaml.Node | None, place: Place) -> Iterator[Place]:
    seen = set()
    for key, _, value in _children(node):
        if key in seen:
            yield (*place, key)
        seen.add(key)
        yield from _twice(value, (*place, key))
