"""docs/scenario-folders.md: what world.yaml and faults.yaml may say, made from their models."""

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from instance_ha_simulator.folder.base import Part
from instance_ha_simulator.folder.faults import Faults
from instance_ha_simulator.folder.world import World
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

_HEAD = """# Scenario folders

<!-- Written by `make docs` from simulator/instance_ha_simulator/folder: change it there. -->

The keys of a scenario folder, which [the simulator](simulator.md) plays. A folder has `world.yaml`, `faults.yaml`
if something goes wrong, `flows.conf` if flows are customised, and a `README.md` that says what must happen. Seconds
count from the beginning, when all instances have been started. Unknown keys are refused.
"""
_COLUMNS = "| key | value | default | meaning |\n| --- | --- | --- | --- |"
_FILES: Mapping[type[Any], str] = {World: "world.yaml", Faults: "faults.yaml"}
_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true`, `false`",
    Any: "anything",
    NoneType: "nothing",
}


def document() -> str:
    """Return the document."""
    seen: set[type[Any]] = set()
    return "\n".join([_HEAD, *_tables(World, seen), *_tables(Faults, seen)]).rstrip() + "\n"


def _tables(kind: type[Any], seen: set[type[Any]]) -> Iterator[str]:
    """Write the table of a kind of mapping, and then those of the kinds in it."""
    if kind in seen:
        return
    seen.add(kind)
    if kind in _FILES:
        yield f"## {_FILES[kind]}\n"
    else:
        yield f"### {_title(kind)}\n\n{inspect.cleandoc(kind.__doc__ or '').replace('``', '`')}\n"
    yield _COLUMNS
    fields = list(_fields(kind))
    yield from (f"| `{name}` | {_type(hint)} | {default} | {meaning} |" for name, hint, default, meaning in fields)
    yield ""
    for inner in dict.fromkeys(part for _, hint, _, _ in fields for part in _parts(hint)):
        yield from _tables(inner, seen)


def _title(kind: type[Any]) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).strip()


def _fields(kind: type[Any]) -> Iterator[tuple[str, Any, str, str]]:
    """Return each key with its type, its default and its meaning."""
    if issubclass(kind, Part):
        for name, field in kind.model_fields.items():
            yield field.alias or name, field.annotation, _default(field), field.description or ""
        return
    hints = get_type_hints(kind, include_extras=True)
    for one in dataclasses.fields(kind):
        if one.init:
            hint, meaning = hints[one.name], ""
            if get_origin(hint) is Annotated:
                hint, meaning = get_args(hint)
            usual = one.default_factory() if callable(one.default_factory) else one.default
            yield one.name, hint, "**required**" if usual is dataclasses.MISSING else _shown(usual), meaning


def _default(field: FieldInfo) -> str:
    return "**required**" if field.default is PydanticUndefined else _shown(field.default)


def _shown(value: Any) -> str:
    if value in (None, {}, [], (), "") or isinstance(value, Part) or dataclasses.is_dataclass(value):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(hint: Any) -> str:
    """Say what kind of value it is."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        return " or ".join(_type(one) for one in arguments if one is not NoneType)
    if origin is Literal:
        return ", ".join(f"`{str(one).lower() if isinstance(one, bool) else one}`" for one in arguments)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is dict:
        return f"{_type(arguments[0])} → {_type(arguments[1])}"
    if origin is not None:
        return f"list of {_type(arguments[0])}"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ", ".join(f"`{one}`" for one in hint) if len(hint) < 10 else "text"
    return _WORDS.get(hint) or f"[{_title(hint)}](#{_title(hint).replace(' ', '-')})"


def _parts(hint: Any) -> Iterator[type[Any]]:
    """Find the kinds of mappings in a type."""
    if isinstance(hint, type) and (issubclass(hint, Part) or dataclasses.is_dataclass(hint)):
        yield hint
    for inner in get_args(hint):
        yield from _parts(inner)
