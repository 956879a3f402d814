"""The state of everything, for one screen."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, ScalarSelect, Select, and_, case, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from instance_ha.models.enums import OPEN_NOTIFICATION, NotificationStatus, TaskState, VMoveStatus
from instance_ha.models.health import HostState
from instance_ha.store.pauses import is_active
from instance_ha.store.schema import host_health, hosts, notifications, pauses, segments, sinks, tasks, vmoves
from instance_ha.store.vmoves import IS_EVACUATION


def all_segments(connection: Connection) -> Sequence[RowMapping]:
    """Read the live segments with the numbers of their hosts."""
    of = hosts.c.failover_segment_id == segments.c.uuid
    live = hosts.c.deleted_at.is_(None)

    def count(*where: Any) -> Any:
        return select(func.count()).select_from(hosts).where(of, live, *where).scalar_subquery()

    query = (
        select(
            segments.c.uuid,
            segments.c.name,
            segments.c.recovery_method,
            segments.c.enabled,
            count().label("hosts"),
            count(hosts.c.reserved).label("reserved"),
            count(hosts.c.on_maintenance).label("on_maintenance"),
        )
        .where(segments.c.deleted_at.is_(None))
        .order_by(segments.c.name)
    )
    return connection.execute(query).mappings().all()


def unusual_hosts(connection: Connection, limit: int) -> Sequence[RowMapping]:
    """Read the hosts that are on maintenance, reserved, or not up, with their last sample."""
    query = _hosts().where(hosts.c.on_maintenance | hosts.c.reserved | _IS_NOT_UP).limit(limit)
    return connection.execute(query).mappings().all()


def every_host(
    connection: Connection, segment: str | None, state: HostState | None, after: str, limit: int
) -> Sequence[RowMapping]:
    """Read hosts as above, of a segment or of all, in a state or in any, by their names and beyond one."""
    query = _hosts().where(hosts.c.name > after).order_by(None).order_by(hosts.c.name).limit(limit)
    if segment is not None:
        query = query.where(segments.c.uuid == segment)
    if state is not None:
        query = query.where(host_health.c.state == state)
    return connection.execute(query).mappings().all()


def _hosts() -> Select[Any]:
    return (
        select(
            hosts.c.uuid,
            hosts.c.name,
            segments.c.name.label("segment"),
            hosts.c.reserved,
            hosts.c.on_maintenance,
            case((_IS_NOT_UP, host_health.c.state)).label("state"),
            host_health.c.state.label("seen"),
            host_health.c.since,
            host_health.c.samples[-1]["vector"].label("vector"),
            host_health.c.suppressed,
            host_health.c.reported,
        )
        .join(segments, segments.c.uuid == hosts.c.failover_segment_id)
        .join(host_health, host_health.c.host_uuid == hosts.c.uuid, isouter=True)
        .where(hosts.c.deleted_at.is_(None), segments.c.deleted_at.is_(None))
        .order_by(segments.c.name, hosts.c.name)
    )


def _instances(*status: VMoveStatus) -> ScalarSelect[int]:
    """Count the instances of a notification whose latest vmove, of whatever attempt, has one of these states."""
    latest = (
        select(vmoves.c.status)
        .ext(distinct_on(vmoves.c.instance_uuid))
        .where(vmoves.c.notification_uuid == notifications.c.notification_uuid, IS_EVACUATION)
        .order_by(vmoves.c.instance_uuid, vmoves.c.id.desc())
        .correlate(notifications)
        .subquery()
    )
    query = select(func.count()).select_from(latest)
    return (query.where(latest.c.status.in_(status)) if status else query).scalar_subquery()


_IS_NOT_UP = host_health.c.state != HostState.UP
_IS_OPEN = and_(notifications.c.status.in_(OPEN_NOTIFICATION), notifications.c.deleted_at.is_(None))
_IS_HELD = notifications.c.held_since.is_not(None)
_OF_ALL = (
    notifications.c.id,
    notifications.c.notification_uuid,
    notifications.c.type,
    notifications.c.status,
    notifications.c.created_at,
    notifications.c.updated_at,
    notifications.c.message,
    notifications.c.held_since,
    notifications.c.held_by,
    notifications.c.proven_at,
    notifications.c.source_host_uuid,
    hosts.c.name.label("host"),
    _instances().label("instances"),
    _instances(VMoveStatus.SUCCEEDED).label("moved"),
    _instances(VMoveStatus.FAILED).label("failed"),
)


def open_recoveries(connection: Connection, limit: int, *, held: bool | None = None) -> Sequence[RowMapping]:
    """Read what is being recovered, the oldest first, with the counts of its instances and its last task.

    ``held``: only what is held, or only what is not.
    """
    task = (
        select(tasks.c.name)
        .where(
            tasks.c.notification_uuid == notifications.c.notification_uuid,
            tasks.c.attempt == notifications.c.attempt,
            tasks.c.state == TaskState.RUNNING,
        )
        .order_by(tasks.c.position)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(*_OF_ALL, notifications.c.attempt, notifications.c.due_at, task.label("task"))
        .join(hosts, hosts.c.uuid == notifications.c.source_host_uuid, isouter=True)
        .where(_IS_OPEN)
        .order_by(notifications.c.created_at, notifications.c.id)
        .limit(limit)
    )
    if held is not None:
        query = query.where(_IS_HELD if held else ~_IS_HELD)
    return connection.execute(query).mappings().all()


def recovery_counts(connection: Connection) -> RowMapping:
    """Count what is being recovered (``open``), and what of it is held."""
    query = select(func.count().label("open"), func.count().filter(_IS_HELD).label("held")).where(_IS_OPEN)
    return connection.execute(query).mappings().one()


def host_counts(connection: Connection) -> dict[HostState | None, int]:
    """Count the registered hosts by what monitor-poll says of them; None: it has not polled them."""
    query = (
        select(host_health.c.state, func.count().label("number"))
        .select_from(hosts)
        .join(segments, segments.c.uuid == hosts.c.failover_segment_id)
        .join(host_health, host_health.c.host_uuid == hosts.c.uuid, isouter=True)
        .where(hosts.c.deleted_at.is_(None), segments.c.deleted_at.is_(None))
        .group_by(host_health.c.state)
    )
    return {row.state: row.number for row in connection.execute(query)}


def active_pauses(connection: Connection, now: datetime, limit: int) -> Sequence[RowMapping]:
    """Read the pauses that are in force, with the names of what they are about, the first to end first."""
    query = (
        select(
            pauses.c.uuid,
            pauses.c.scope,
            pauses.c.until,
            pauses.c.actor,
            pauses.c.reason,
            segments.c.name.label("segment"),
            hosts.c.name.label("host"),
        )
        .join(segments, segments.c.uuid == pauses.c.segment_uuid, isouter=True)
        .join(hosts, hosts.c.uuid == pauses.c.host_uuid, isouter=True)
        .where(is_active(now))
        .order_by(pauses.c.until, pauses.c.id)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def ended_recoveries(
    connection: Connection, statuses: Collection[NotificationStatus], since: datetime, limit: int
) -> Sequence[RowMapping]:
    """Read the notifications that have ended so since a time, the newest first."""
    ended = func.coalesce(notifications.c.updated_at, notifications.c.created_at)
    query = (
        select(*_OF_ALL)
        .join(hosts, hosts.c.uuid == notifications.c.source_host_uuid, isouter=True)
        .where(notifications.c.status.in_(statuses), notifications.c.deleted_at.is_(None), ended >= since)
        .order_by(ended.desc(), notifications.c.id.desc())
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def recoveries(
    connection: Connection,
    statuses: Collection[NotificationStatus],
    limit: int,
    *,
    held: bool = False,
    host_uuid: str | None = None,
    before: int | None = None,
) -> Sequence[RowMapping]:
    """Read notifications with these statuses, the newest first; only what is held, of one host, or older than one."""
    query = (
        select(*_OF_ALL)
        .join(hosts, hosts.c.uuid == notifications.c.source_host_uuid, isouter=True)
        .where(notifications.c.status.in_(statuses), notifications.c.deleted_at.is_(None))
        .order_by(notifications.c.id.desc())
        .limit(limit)
    )
    if held:
        query = query.where(_IS_HELD)
    if host_uuid is not None:
        query = query.where(notifications.c.source_host_uuid == host_uuid)
    if before is not None:
        query = query.where(notifications.c.id < before)
    return connection.execute(query).mappings().all()


def failing_sinks(connection: Connection) -> Sequence[RowMapping]:
    """Read the sinks that take nothing now."""
    return connection.execute(select(sinks).where(sinks.c.failing_since.is_not(None))).mappings().all()
