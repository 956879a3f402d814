"""Which rows are purged: chosen in bounded batches, never waiting for a row that is being worked on.

A batch begins behind the last row of the one before, whether that row went or not: so rows that something needs for
long keep back no others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    CTE,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.sql.elements import ColumnElement

from instance_ha.models.enums import FINAL_NOTIFICATION
from instance_ha.models.returns import OPEN_RETURN
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
    returns,
    segment_policies,
    segments,
    tasks,
    vmoves,
)


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


Place = tuple[Any, ...]  # of a row in the order of its rule
BEGINNING: Place = ()


@dataclass(frozen=True)
class Wanted:
    """The next rows of a rule, so many at most, behind a place in its order."""

    rule: Rule
    cutoff: datetime
    limit: int
    behind: Place = BEGINNING


@dataclass(frozen=True)
class Found:
    """Those of the next rows that nothing needs, and where the rows after them begin; None: there are none."""

    ids: Sequence[int]
    last: Place | None


def _is_deleted(table: Table, cutoff: datetime) -> ColumnElement[bool]:
    """Hold for what was deleted long ago; never null, so that it can be negated."""
    return and_(table.c.deleted_at.is_not(None), table.c.deleted_at < cutoff)


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


def _vmoves(cutoff: datetime) -> ColumnElement[bool]:
    return not_(_is_needed(vmoves, cutoff, not_(_is_deleted(vmoves, cutoff))))


_OF_NOTIFICATIONS = (vmoves, tasks, fence_attempts, gate_decisions, approvals)

# The order of Masakari, and what it forgets: what belongs to a row goes before the row. Samples of
# hosts go before `hosts`.
RULES: tuple[Rule, ...] = (
    _of_deleted(host_health, hosts.c.uuid == host_health.c.host_uuid, hosts),
    _of_deleted(guest_health, hosts.c.uuid == guest_health.c.host_uuid, hosts),
    Rule(hosts, partial(_is_deleted, hosts), (hosts.c.deleted_at,)),
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
        partial(_is_deleted, segments),
        (segments.c.deleted_at,),
        ~exists().where(hosts.c.failover_segment_id == segments.c.uuid),
    ),
    Rule(outbox, lambda cutoff: outbox.c.done_at < cutoff, (outbox.c.done_at,)),
)


def count(connection: Connection, rule: Rule, cutoff: datetime) -> int:
    """Count what is old enough."""
    return connection.execute(select(func.count()).select_from(rule.table).where(rule.old(cutoff))).scalar_one()


def chosen(wanted: Wanted, *where: ColumnElement[bool]) -> CTE:
    """Choose the next rows, and hold them: what holds rows is run once for a whole statement."""
    rule = wanted.rule
    keys = [*rule.order, rule.table.c.id]
    query = select(*keys).where(rule.old(wanted.cutoff), *where).order_by(*keys).limit(wanted.limit)
    if wanted.behind:
        query = query.where(tuple_(*keys) > wanted.behind)
    return query.with_for_update(skip_locked=True, of=rule.table).cte("chosen")


def found(connection: Connection, chosen: CTE, going: CTE) -> Found:
    """Read which of the chosen rows are ``going``."""
    query = select(*chosen.c, going.c.id).outerjoin_from(chosen, going, chosen.c.id == going.c.id).order_by(*chosen.c)
    rows = [tuple(row) for row in connection.execute(query)]
    return Found([row[-1] for row in rows if row[-1] is not None], rows[-1][:-1] if rows else None)


def remove(connection: Connection, wanted: Wanted) -> Found:
    """Delete the next rows."""
    rule, rows = wanted.rule, chosen(wanted)
    gone = delete(rule.table).where(rule.table.c.id.in_(select(rows.c.id)), rule.ready).returning(rule.table.c.id)
    return found(connection, rows, gone.cte("gone"))
