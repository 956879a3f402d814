"""Lists: filters, order, markers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Select, Table, and_, false, or_, select
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from instance_ha.models.errors import BadRequest


@dataclass(frozen=True)
class Page:
    """What a client asked for: at most ``limit`` rows after ``marker``, in the order of ``sort``."""

    limit: int
    marker: str | None = None
    sort: tuple[tuple[str, str], ...] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)


def query(
    connection: Connection,
    table: Table,
    page: Page,
    *where: ColumnElement[bool],
    within: ColumnElement[bool] | None = None,
    uuid: str = "uuid",
) -> Select[Any]:
    """Ask for one page of the live rows of a table, or of the part of it that a list is about (``within``).

    Raises:
        BadRequest: an unknown sort key, or a marker that is no row of this list.

    """
    order = _order(table, page.sort)
    listed = and_(table.c.deleted_at.is_(None), *([] if within is None else [within]))
    conditions = [*where, *(table.c[name] == value for name, value in page.filters.items())]
    if page.marker is not None:
        conditions.append(_after(_marked(connection, table, page.marker, listed, uuid), order))
    return select(table).where(listed, *conditions).order_by(*(_sorted(*key) for key in order)).limit(page.limit)


def _sorted(column: Column[Any], down: bool) -> UnaryExpression[Any]:
    """Nulls are the smallest; said only where there can be any, since an index knows only one place for them."""
    by = column.desc() if down else column.asc()
    if not column.nullable:
        return by
    return by.nulls_last() if down else by.nulls_first()


def _order(table: Table, sort: tuple[tuple[str, str], ...]) -> list[tuple[Column[Any], bool]]:
    """Complete the wished order by created_at and id, in the first given direction, newest first by default."""
    down = not sort or sort[0][1] == "desc"
    order: list[tuple[Column[Any], bool]] = []
    for key, direction in sort:
        if key not in table.c:
            raise BadRequest(f"unknown sort key {key}")
        order.append((table.c[key], direction == "desc"))
    names = {column.name for column, _ in order}
    return order + [(table.c[name], down) for name in ("created_at", "id") if name not in names]


def _marked(connection: Connection, table: Table, marker: str, listed: ColumnElement[bool], uuid: str) -> RowMapping:
    """Read the row that a marker names, by its id or uuid; filters do not matter for it."""
    is_id = marker.isascii() and marker.isdigit() and len(marker) < 19
    key = table.c.id == int(marker) if is_id else table.c[uuid] == marker
    row = connection.execute(select(table).where(key, listed)).mappings().first()
    if row is None:
        raise BadRequest(f"marker {marker} is not in this list")
    return row


def _after(row: RowMapping, order: list[tuple[Column[Any], bool]]) -> ColumnElement[bool]:
    """Hold for whatever comes after a row."""
    steps: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for column, down in order:
        steps.append(and_(*same, _beyond(column, row[column.name], down)))
        same.append(column.is_not_distinct_from(row[column.name]))
    return or_(*steps)


def _beyond(column: ColumnElement[Any], value: Any, down: bool) -> ColumnElement[bool]:
    if value is None:  # nulls are the smallest: last when going down, first when going up
        return false() if down else column.is_not(None)
    if down:
        return or_(column.op("<", is_comparison=True)(value), column.is_(None))
    return column.op(">", is_comparison=True)(value)  # the operator itself: SQLAlchemy's refuses booleans
