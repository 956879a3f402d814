"""The gauges: what the rows show of now."""

from datetime import datetime

from sqlalchemy import Connection, Table, and_, func, select

from instance_ha.decide import budget
from instance_ha.models.enums import OPEN_NOTIFICATION
from instance_ha.models.metric import Values
from instance_ha.models.metrics import (
    EVACUATION_SHARE,
    EVENTS_PENDING,
    HELD_RECOVERIES,
    HOSTS,
    HOSTS_SUPPRESSED,
    LAST_POLL,
    LAST_READINESS,
    LAST_TICK,
    OLDEST_EVENT,
    OLDEST_HOLD,
    OLDEST_OVERDUE,
    OLDEST_RECOVERY,
    OPEN_EVACUATIONS,
    OPEN_RECOVERIES,
    OVERDUE,
    PAUSES,
    SURVIVES,
    TICKS,
    UNFENCEABLE,
    UNRECOVERABLE,
)
from instance_ha.store import budgets, counters, leases, readiness, watches
from instance_ha.store.host_health import is_monitored
from instance_ha.store.pauses import is_active
from instance_ha.store.schema import host_health, hosts, notifications, outbox, segments, vmoves
from instance_ha.store.schema import watches as watch_rows

_OPEN = and_(notifications.c.status.in_(OPEN_NOTIFICATION), notifications.c.deleted_at.is_(None))


def measure(connection: Connection, now: datetime) -> Values:
    """Return the values of all gauges that are not what they start at."""
    values = (
        _recoveries(connection, now)
        | _holds(connection, now)
        | _pauses(connection, now)
        | {EVACUATION_SHARE.series(): budget.share(budgets.read_throttle(connection), now)}
        | _outbox(connection, now)
        | _hosts(connection)
        | _readiness(connection)
        | _times(connection)
    )
    for table in (notifications, vmoves):
        values |= _overdue(connection, table, now)
    return values


def _recoveries(connection: Connection, now: datetime) -> Values:
    kinds = notifications.c.type, notifications.c.status
    query = select(*kinds, func.count(), func.min(notifications.c.created_at)).where(_OPEN).group_by(*kinds)
    values: Values = {}
    for kind, status, number, since in connection.execute(query):
        values[OPEN_RECOVERIES.series(type=kind, status=status)] = number
        oldest = OLDEST_RECOVERY.series(type=kind)
        values[oldest] = max(values.get(oldest, 0.0), (now - since).total_seconds())
    its = vmoves.c.notification_uuid == notifications.c.notification_uuid
    moves = select(vmoves.c.status, func.count()).join(notifications, its).where(_OPEN).group_by(vmoves.c.status)
    return values | {OPEN_EVACUATIONS.series(status=status): number for status, number in connection.execute(moves)}


def _holds(connection: Connection, now: datetime) -> Values:
    held = notifications.c.held_since
    number, since = connection.execute(select(func.count(), func.min(held)).where(held.is_not(None))).one()
    oldest = (now - since).total_seconds() if since else 0.0
    return {HELD_RECOVERIES.series(): number, OLDEST_HOLD.series(): oldest}


def _pauses(connection: Connection, now: datetime) -> Values:
    active = select(func.count()).where(is_active(now))
    return {PAUSES.series(): connection.execute(active).scalar_one()}


def _overdue(connection: Connection, table: Table, now: datetime) -> Values:
    waiting = and_(table.c.due_at < now, leases.is_free(table, now))
    number, since = connection.execute(select(func.count(), func.min(table.c.due_at)).where(waiting)).one()
    oldest = (now - since).total_seconds() if since else 0.0
    return {OVERDUE.series(table=table.name): number, OLDEST_OVERDUE.series(table=table.name): oldest}


def _outbox(connection: Connection, now: datetime) -> Values:
    pending = select(outbox.c.sink, func.count(), func.min(outbox.c.created_at)).group_by(outbox.c.sink)
    values: Values = {}
    for sink, number, since in connection.execute(pending.where(outbox.c.done_at.is_(None))):
        values[EVENTS_PENDING.series(sink=sink)] = number
        values[OLDEST_EVENT.series(sink=sink)] = (now - since).total_seconds()
    return values


def _hosts(connection: Connection) -> Values:
    known = (
        select(host_health.c.state, func.count(), func.count().filter(host_health.c.suppressed))
        .join(hosts, hosts.c.uuid == host_health.c.host_uuid)
        .join(segments, segments.c.uuid == hosts.c.failover_segment_id)
        .where(hosts.c.deleted_at.is_(None), segments.c.deleted_at.is_(None), is_monitored())
        .group_by(host_health.c.state)
    )
    found = connection.execute(known).all()
    values = {HOSTS.series(state=state): float(number) for state, number, _ in found}
    return values | {HOSTS_SUPPRESSED.series(): float(sum(suppressed for _, _, suppressed in found))}


def _readiness(connection: Connection) -> Values:
    values: Values = {}
    for row in readiness.stored(connection):
        segment = row.segment_name
        values[LAST_READINESS.series(segment=segment)] = row.checked_at.timestamp()
        values[UNFENCEABLE.series(segment=segment)] = row.unfenceable
        values[UNRECOVERABLE.series(segment=segment)] = row.unrecoverable
        if row.survives is not None:
            values[SURVIVES.series(segment=segment)] = row.survives
    return values


def _times(connection: Connection) -> Values:
    ticks = counters.grown(connection, TICKS.shown)
    values = {(LAST_TICK.name, labels): time.timestamp() for labels, time in ticks.items()}
    last = select(watch_rows.c.polled_at).where(watch_rows.c.subject == watches.HOSTS)
    polled = connection.execute(last).scalar_one_or_none()
    return values | ({LAST_POLL.series(): polled.timestamp()} if polled else {})
