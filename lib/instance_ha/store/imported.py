"""Rows that were copied from another Masakari: what they were then tells whether they have changed here since."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, func, select, update
from sqlalchemy.dialects.postgresql import insert

from instance_ha.store.schema import hosts, imported_rows, notifications, segments, vmoves

_LOCK = 0x1A57A1  # two imports at once take turns, a batch each
TABLES: dict[str, Table] = {table.name: table for table in (segments, hosts, notifications, vmoves)}


def key_of(table: str) -> str:
    """Name the column that holds the uuid."""
    return "notification_uuid" if table == "notifications" else "uuid"


def fingerprint(values: Mapping[str, Any]) -> str:
    """Digest of a row's values; equal values have the same wherever they were read."""
    return sha256(json.dumps({**values}, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


def take_turn(connection: Connection) -> None:
    """Wait until no other import writes; it lasts until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def here(connection: Connection, table: str, uuids: Sequence[str]) -> dict[str, RowMapping]:
    """Read and lock the rows that are here already, deleted ones too, by uuid."""
    key = TABLES[table].c[key_of(table)]
    query = select(TABLES[table]).where(key.in_(uuids)).with_for_update()
    return {row[key.name]: row for row in connection.execute(query).mappings()}


def remembered(connection: Connection, table: str, uuids: Sequence[str]) -> dict[str, str]:
    """Read the fingerprints that earlier imports left."""
    query = select(imported_rows.c.uuid, imported_rows.c.fingerprint).where(
        imported_rows.c.table_name == table, imported_rows.c.uuid.in_(uuids)
    )
    return {row.uuid: row.fingerprint for row in connection.execute(query)}


def live_names(connection: Connection, table: str, names: Iterable[str]) -> dict[str, str]:
    """Say which live row (its uuid) has each of these names."""
    columns = TABLES[table].c
    query = select(columns.name, columns.uuid).where(columns.name.in_(list(names)), columns.deleted_at.is_(None))
    return {row.name: row.uuid for row in connection.execute(query)}


def present(connection: Connection, table: str, uuids: Iterable[str]) -> dict[str, datetime | None]:
    """Say which rows are here, and since when they are deleted."""
    columns = TABLES[table].c
    key = columns[key_of(table)]
    query = select(key, columns.deleted_at).where(key.in_(list(uuids)))
    return {row[0]: row.deleted_at for row in connection.execute(query)}


def add(connection: Connection, table: str, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Insert; returns the uuids of those that hurt no uniqueness.

    History that comes from elsewhere is not counted by our metrics: its failures are no news.
    """
    if not rows:
        return set()
    if table == "notifications":
        rows = [row | {"counted": True} for row in rows]
    key = TABLES[table].c[key_of(table)]
    statement = insert(TABLES[table]).values(rows).on_conflict_do_nothing().returning(key)
    return set(connection.execute(statement).scalars())


def replace(connection: Connection, table: str, values: dict[str, Any]) -> None:
    """Overwrite the copied columns of a row."""
    key = TABLES[table].c[key_of(table)]
    connection.execute(update(TABLES[table]).where(key == values[key.name]).values(**values))


def remember(connection: Connection, table: str, prints: Mapping[str, str], now: datetime) -> None:
    """Write down what rows are at this moment."""
    if not prints:
        return
    rows = [
        {"table_name": table, "uuid": uuid, "fingerprint": value, "imported_at": now} for uuid, value in prints.items()
    ]
    statement = insert(imported_rows).values(rows)
    newer = {"fingerprint": statement.excluded.fingerprint, "imported_at": statement.excluded.imported_at}
    connection.execute(statement.on_conflict_do_update(index_elements=["table_name", "uuid"], set_=newer))
