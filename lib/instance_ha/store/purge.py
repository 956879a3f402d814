"""Which rows are purged, and how: chosen in bounded batches, never waiting for a row that is being worked on.

With an archive a batch is written down first (``purge_batches``), so that the next invocation after a crash writes the
same object again, and no row twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from instance_ha.models.enums import FINAL_NOTIFICATION
from instance_ha.models.returns import OPEN_RETURN
from instance_ha.store import leases, records
from instance_ha.store.schema import (
    approvals,
    evidence,
    fence_attempts,
    gate_decisions,
    guest_health,
    host_health,
    hosts,
    notifications,
    outbox,
    pauses,
    purge_batches,
    returns,
    segment_policies,
    segments,
    tasks,
    vmoves,
)

_LOCK = 0x1A57A0CF  # any number: invocations choose rows one after the other


@dataclass(frozen=True)
class Rule:
    """The rows of a table that are old enough at a cutoff, in their order; those of the next that nothing needs go.

    However many there are, the next ones are found by a look at few others (tests/unit/purge): an index has their
    order, and what needs a row is looked up for it, where Postgres would have to know all that does not.
    """

    table: Table
    old: Callable[[datetime], ColumnElement[bool]]
    order: Sequence[ColumnElement[Any]] = ()  # and then their numbers
    ready: ColumnElement[bool] = field(default_factory=true)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows on their way to the archive."""

    id: int
    created_at: datetime
    table_name: str
    row_ids: Sequence[int]
    cutoff: datetime
    lease_owner: str


def _deleted(table: Table) -> Callable[[datetime], ColumnElement[bool]]:
    return lambda cutoff: table.c.deleted_at < cutoff


def _closed(cutoff: datetime) -> ColumnElement[bool]:
    """Hold for notifications that ended long ago and are not worked on."""
    return and_(
        notifications.c.status.in_(FINAL_NOTIFICATION),
        func.coalesce(notifications.c.updated_at, notifications.c.created_at) < cutoff,
        notifications.c.due_at.is_(None),
        or_(notifications.c.lease_until.is_(None), notifications.c.lease_until < cutoff),
        ~exists().where(returns.c.host_uuid == notifications.c.source_host_uuid, returns.c.status.in_(OPEN_RETURN)),
    )


def _is_needed(table: Table, cutoff: datetime, *also: ColumnElement[bool]) -> ColumnElement[bool]:
    """Hold for what belongs to a notification that is there and stays."""
    its = notifications.c.notification_uuid == table.c.notification_uuid
    return exists().where(its, not_(_closed(cutoff)), *also)


def _of_closed(table: Table) -> Rule:
    """Make the rule of a table whose rows go with their notification."""
    return Rule(table, lambda cutoff: not_(_is_needed(table, cutoff)))


def _of_deleted(table: Table, its: ColumnElement[bool], owners: Table) -> Rule:
    """Make the rule of a table whose rows go when what they belong to was deleted, or is not there any more."""
    return Rule(table, lambda cutoff: ~exists().where(its, not_(_is_deleted(owners, cutoff))))


def _is_deleted(table: Table, cutoff: datetime) -> ColumnElement[bool]:
    return func.coalesce(table.c.deleted_at < cutoff, false())


def _vmoves(cutoff: datetime) -> ColumnElement[bool]:
    return not_(_is_needed(vmoves, cutoff, not_(_is_deleted(vmoves, cutoff))))


_OF_NOTIFICATIONS = (vmoves, tasks, fence_attempts, gate_decisions, approvals)

# The order of Masakari, and what it forgets: what belongs to a row goes before the row. Samples of
# hosts go before `hosts`.
RULES: tuple[Rule, ...] = (
    _of_deleted(host_health, hosts.c.uuid == host_health.c.host_uuid, hosts),
    _of_deleted(guest_health, hosts.c.uuid == guest_health.c.host_uuid, hosts),
    Rule(hosts, _deleted(hosts), (hosts.c.deleted_at,)),
    Rule(vmoves, _vmoves),
    _of_closed(tasks),
    _of_closed(fence_attempts),
    _of_closed(gate_decisions),
    _of_closed(approvals),
    Rule(
        notifications,
        _closed,
        ready=and_(
            *(~exists().where(of.c.notification_uuid == notifications.c.notification_uuid) for of in _OF_NOTIFICATIONS)
        ),
    ),
    Rule(evidence, lambda cutoff: evidence.c.valid_until < cutoff, (evidence.c.valid_until,)),
    Rule(returns, lambda cutoff: returns.c.ended_at < cutoff),
    Rule(pauses, lambda cutoff: func.coalesce(pauses.c.ended_at, pauses.c.until) < cutoff),
    _of_deleted(segment_policies, segments.c.uuid == segment_policies.c.segment_uuid, segments),
    Rule(
        segments,
        _deleted(segments),
        (segments.c.deleted_at,),
        ~exists().where(hosts.c.failover_segment_id == segments.c.uuid),
    ),
    Rule(outbox, lambda cutoff: outbox.c.done_at < cutoff, (outbox.c.done_at,)),
)


def count(connection: Connection, rule: Rule, cutoff: datetime) -> int:
    """Count what is old enough."""
    return connection.execute(select(func.count()).select_from(rule.table).where(rule.old(cutoff))).scalar_one()


def _oldest(rule: Rule, cutoff: datetime, limit: int) -> Any:
    query = select(rule.table.c.id).where(rule.old(cutoff)).order_by(*rule.order, rule.table.c.id)
    return query.limit(limit).with_for_update(skip_locked=True, of=rule.table)


def remove(connection: Connection, rule: Rule, cutoff: datetime, limit: int) -> int:
    """Delete the next rows; returns how many."""
    chosen = records.chosen(_oldest(rule, cutoff, limit))
    return connection.execute(delete(rule.table).where(rule.table.c.id.in_(chosen), rule.ready)).rowcount


def plan(
    connection: Connection, rule: Rule, cutoff: datetime, limit: int, owner: str, now: datetime, seconds: float
) -> Batch | None:
    """Write down the next rows to archive; None when there are none."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    planned = select(func.unnest(purge_batches.c.row_ids)).where(purge_batches.c.table_name == rule.table.name)
    chosen = records.chosen(_oldest(rule, cutoff, limit).where(rule.table.c.id.not_in(planned)))
    ready = select(rule.table.c.id).where(rule.table.c.id.in_(chosen), rule.ready)
    ids = sorted(connection.execute(ready).scalars())
    if not ids:
        return None
    values = {"created_at": now, "table_name": rule.table.name, "row_ids": ids, "cutoff": cutoff}
    held = leases.hold(owner, now, seconds)
    row = connection.execute(insert(purge_batches).values(**values, **held).returning(purge_batches)).mappings().one()
    return _batch(row)


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
        update(purge_batches)
        .where(purge_batches.c.id.in_(records.chosen(left)))
        .values(**leases.hold(owner, now, seconds))
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


def _still(rule: Rule, batch: Batch) -> ColumnElement[bool]:
    return and_(rule.table.c.id.in_(list(batch.row_ids)), rule.old(batch.cutoff), rule.ready)


def revision(connection: Connection) -> str:
    """Return the revision of the schema that the rows are of."""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def release(connection: Connection, batch: Batch) -> None:
    """Leave a batch to the next purge."""
    mine = and_(purge_batches.c.id == batch.id, purge_batches.c.lease_owner == batch.lease_owner)
    connection.execute(update(purge_batches).where(mine).values(lease_until=None, lease_owner=None, due_at=None))
