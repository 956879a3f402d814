"""Batches of rows on their way to the archive: written down first, deleted when they are there.

So the next invocation after a crash writes the same object again, and no row twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, text, update
from sqlalchemy.sql.elements import ColumnElement

from instance_ha.store import leases, records
from instance_ha.store.purge import Place, Rule, Wanted, chosen, found
from instance_ha.store.schema import purge_batches

_LOCK = 0x1A57A0CF  # any number: invocations choose rows one after the other


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows on their way to the archive."""

    id: int
    created_at: datetime
    table_name: str
    row_ids: Sequence[int]
    cutoff: datetime
    lease_owner: str


def plan(
    connection: Connection, wanted: Wanted, owner: str, now: datetime, seconds: float
) -> tuple[Batch | None, Place | None]:
    """Write down the next rows to archive, None when none of them may go; and say where the rows after them begin."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    table = wanted.rule.table
    planned = select(func.unnest(purge_batches.c.row_ids)).where(purge_batches.c.table_name == table.name)
    rows = chosen(wanted, table.c.id.not_in(planned))
    ready = select(table.c.id).where(table.c.id.in_(select(rows.c.id)), wanted.rule.ready)
    these = found(connection, rows, ready.cte("ready"))
    if not these.ids:
        return None, these.last
    values = {"created_at": now, "table_name": table.name, "row_ids": sorted(these.ids), "cutoff": wanted.cutoff}
    held = leases.hold(owner, now, seconds)
    row = connection.execute(insert(purge_batches).values(**values, **held).returning(purge_batches)).mappings().one()
    return _batch(row), these.last


def resume(connection: Connection, rule: Rule, limit: int, owner: str, now: datetime, seconds: float) -> Batch | None:
    """Take a batch that another invocation left behind, if it has no more rows than may be deleted now."""
    left = (
        select(purge_batches.c.id)
        .where(
            purge_batches.c.table_name == rule.table.name,
            func.cardinality(purge_batches.c.row_ids) <= limit,
            leases.is_free(purge_batches, now),
        )
        .order_by(purge_batches.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(purge_batches).where(records.chosen(purge_batches.c.id, left)).values(**leases.hold(owner, now, seconds))
    )
    row = connection.execute(taken.returning(purge_batches)).mappings().first()
    return _batch(row) if row else None


def _batch(row: Mapping[Any, Any]) -> Batch:
    return Batch(**{name: row[name] for name in Batch.__dataclass_fields__})


def read(connection: Connection, rule: Rule, batch: Batch) -> list[Mapping[str, Any]]:
    """Read the rows of a batch that are still to be purged."""
    query = select(rule.table).where(_still(rule, batch)).order_by(rule.table.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def finish(connection: Connection, rule: Rule, batch: Batch, ids: Sequence[int]) -> int:
    """Delete those rows of a batch that are in the archive, and forget it; returns how many."""
    mine = and_(rule.table.c.id.in_(list(ids)), _still(rule, batch))
    count = connection.execute(delete(rule.table).where(mine)).rowcount
    connection.execute(delete(purge_batches).where(purge_batches.c.id == batch.id))
    return count


def is_left(connection: Connection, now: datetime) -> bool:
    """Say whether there is a batch that another invocation left behind."""
    left = select(purge_batches.c.id).where(leases.is_free(purge_batches, now))
    return bool(connection.execute(select(left.exists())).scalar_one())


def _still(rule: Rule, batch: Batch) -> ColumnElement[bool]:
    return and_(rule.table.c.id.in_(list(batch.row_ids)), rule.old(batch.cutoff), rule.ready)


def revision(connection: Connection) -> str:
    """Return the revision of the schema that the rows are of."""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def release(connection: Connection, batch: Batch) -> None:
    """Leave a batch to the next purge."""
    mine = and_(purge_batches.c.id == batch.id, purge_batches.c.lease_owner == batch.lease_owner)
    connection.execute(update(purge_batches).where(mine).values(lease_until=None, lease_owner=None, due_at=None))
