"""From result rows to the frozen values of ``models.rows``: a record has the fields that its table has columns."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Select, any_, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.base import Executable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R")
T = TypeVar("T")
D = TypeVar("D", bound="DataclassInstance")


def every(
    connection: Connection,
    statement: Executable,
    record: Callable[..., R],
    values: Mapping[str, Any] = MappingProxyType({}),
) -> list[R]:
    """Return all rows of a statement as records. ``values`` are what it leaves open."""
    return [record(**row._asdict()) for row in connection.execute(statement, values)]


def first(
    connection: Connection,
    statement: Executable,
    record: Callable[..., R],
    values: Mapping[str, Any] = MappingProxyType({}),
) -> R | None:
    """Return the first row of a statement as a record; None when there is none. ``values`` are what it leaves open."""
    row = connection.execute(statement, values).first()
    return None if row is None else record(**row._asdict())


def one(
    connection: Connection,
    statement: Executable,
    record: Callable[..., R],
    values: Mapping[str, Any] = MappingProxyType({}),
) -> R:
    """Return the only row of a statement that always has one. ``values`` are what it leaves open, or inserts."""
    return record(**connection.execute(statement, values).one()._asdict())


def chosen(column: Column[T], query: Select[tuple[T]]) -> ColumnElement[bool]:
    """Choose rows for a statement that changes them: those whose column is among what a query finds.

    A query ``in_`` which the column were would be joined with the table. Where Postgres does not know yet how many rows
    there are, it may run it for each of them: that takes long, and with a limit and locks it finds others each time. An
    array is made once, before any row is looked up.
    """
    return column == any_(func.array(query.correlate(None).scalar_subquery(), type_=ARRAY(column.type)))


def values(record: "DataclassInstance") -> dict[str, Any]:
    """Return a record's values for an insert; Postgres gives it its id."""
    return {name: value for name, value in vars(record).items() if name != "id"}


def part(kind: type[D], stored: Mapping[str, Any]) -> D:
    """Build a part of a record that a column holds as JSON; what only a newer version of us knows is left out."""
    return kind(**{one.name: stored[one.name] for one in fields(kind) if one.name in stored})
