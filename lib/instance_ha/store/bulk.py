"""Many rows in one statement: they are sent as one JSON document, which Postgres takes apart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Table, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_ROWS = bindparam("rows", type_=JSONB)


Excluded = ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]


def _nothing(_: Excluded) -> dict[str, Any]:
    return {}


def upsert(table: Table, names: Iterable[str], otherwise: Callable[[Excluded], Mapping[str, Any]] = _nothing) -> Insert:
    """Return a statement that writes these columns of all ``rows``: what is new is inserted, the rest is changed.

    ``otherwise`` says which columns of a row that exists already do not simply become what is ``excluded``.
    """
    columns = [table.c[name] for name in names]
    written = _written(table, columns)
    changes = {one.name: written.excluded[one.name] for one in columns if not one.primary_key}
    return written.on_conflict_do_update(
        index_elements=table.primary_key, set_=changes | dict(otherwise(written.excluded))
    )


def insert_new(table: Table, names: Iterable[str]) -> Insert:
    """Return a statement that inserts these columns of those ``rows``, in their order, that are not there yet."""
    return _written(table, [table.c[name] for name in names]).on_conflict_do_nothing()


def _written(table: Table, columns: Sequence[Column[Any]]) -> Insert:
    typed = [column(one.name, one.type) for one in columns]
    rows = func.jsonb_to_recordset(_ROWS).table_valued(*typed).render_derived(name="new", with_types=True)
    return insert(table).from_select([one.name for one in columns], select(rows))


def row(record: "DataclassInstance") -> dict[str, Any]:
    """Return a record as one of ``rows``."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(record).items()}
