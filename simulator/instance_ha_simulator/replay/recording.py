"""What Postgres holds of a recovery and of those that were under way at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from instance_ha.models.enums import FINAL_NOTIFICATION, TaskState
from instance_ha.models.errors import NotFound
from instance_ha.models.evidence import SegmentPolicy
from instance_ha.models.gates import Approval, Pause, Scope
from instance_ha.models.rows import Host, Notification, Segment, TaskRow, VMove
from instance_ha.models.uuids import HostUuid, NotificationUuid
from instance_ha.recovery.recovery import HostBefore
from instance_ha.recovery.reserved_hosts import ReservedHosts
from instance_ha.store import approvals, notifications, policies, records, tasks, vmoves
from instance_ha.store.schema import hosts as _hosts
from instance_ha.store.schema import notifications as _notifications
from instance_ha.store.schema import pauses as pauses_table
from instance_ha.store.schema import segments as _segments
from sqlalchemy import Connection, func, or_, select


@dataclass(frozen=True)
class Handled:
    """A notification with what was done about it."""

    notification: Notification
    vmoves: Sequence[VMove]  # the oldest first
    tasks: Sequence[TaskRow]
    approvals: Sequence[Approval]
    reserved_before: bool  # whether its host was reserved
    taken: frozenset[HostUuid]  # the reserved hosts that were taken for it

    @property
    def ended(self) -> datetime | None:
        """When it ended, if it has."""
        is_final = self.notification.status in FINAL_NOTIFICATION
        return (self.notification.updated_at or self.notification.created_at) if is_final else None

    def duration(self, task: str) -> float | None:
        """Return the seconds that a task took in the first attempt that came to its end; None: it never did."""
        for row in self.tasks:
            if row.name == task and row.state is TaskState.SUCCESS and row.details:
                times = [datetime.fromisoformat(line["timestamp"]) for line in row.details]
                return (times[-1] - times[0]).total_seconds()
        return None


@dataclass(frozen=True)
class Recording:
    """The notification that is asked for, all that overlap with it in its segment, and the hosts."""

    handled: Sequence[Handled]  # in the order of the reports
    segment: Segment
    policy: SegmentPolicy  # as it is now
    hosts: Sequence[Host]  # of the segment, the oldest first; deleted ones too
    pauses: Sequence[Pause]  # that were in force meanwhile, the oldest first

    def host(self, uuid: HostUuid) -> Host:
        """Return a host."""
        return next(host for host in self.hosts if host.uuid == uuid)


def read(connection: Connection, uuid: NotificationUuid) -> Recording:
    """Read it.

    Raises:
        NotFound: there is no such notification, or nothing is known of its host any more.

    """
    wanted = notifications.find(connection, uuid)
    host = records.first(connection, select(_hosts).where(_hosts.c.uuid == wanted.source_host_uuid), Host)
    if host is None:
        raise NotFound(f"the host of notification {uuid} is not known any more")
    segment = records.one(connection, select(_segments).where(_segments.c.uuid == host.failover_segment_id), Segment)
    of_segment = select(_hosts).where(_hosts.c.failover_segment_id == segment.uuid).order_by(_hosts.c.id)
    hosts = records.every(connection, of_segment, Host)
    handled = [_with_rows(connection, one) for one in _overlapping(connection, wanted, hosts)]
    policy = policies.of_segment(connection, segment.uuid)
    return Recording(handled, segment, policy, hosts, _pauses(connection, handled, segment, hosts))


def _pauses(connection: Connection, handled: Sequence[Handled], segment: Segment, hosts: Sequence[Host]) -> list[Pause]:
    """Read the pauses of the cloud, the segment or its hosts that were in force while anything was being handled."""
    table = pauses_table.c
    about = or_(
        table.scope == Scope.CLOUD,
        table.segment_uuid == segment.uuid,
        table.host_uuid.in_([host.uuid for host in hosts]),
    )
    not_over_before = func.coalesce(table.ended_at, table.until) > handled[0].notification.created_at
    query = select(pauses_table).where(about, not_over_before).order_by(table.id)
    ends = [one.ended for one in handled]
    if all(ends):
        query = query.where(table.created_at < max(end for end in ends if end))
    return records.every(connection, query, Pause)


def _overlapping(connection: Connection, wanted: Notification, hosts: Sequence[Host]) -> list[Notification]:
    """Read the notifications about hosts that were not ended before one began, and did not begin after its end."""
    table = _notifications.c
    not_ended_before = or_(
        table.status.not_in(FINAL_NOTIFICATION),
        func.coalesce(table.updated_at, table.created_at) >= wanted.created_at,
    )
    query = select(_notifications).where(
        table.source_host_uuid.in_([host.uuid for host in hosts]), table.deleted_at.is_(None), not_ended_before
    )
    if wanted.status in FINAL_NOTIFICATION:
        query = query.where(table.created_at <= (wanted.updated_at or wanted.created_at))
    return records.every(connection, query.order_by(table.created_at, table.id), Notification)


def _with_rows(connection: Connection, notification: Notification) -> Handled:
    uuid = notification.notification_uuid
    rows = tasks.of_notification(connection, uuid)
    before = [kept for row in rows if (kept := tasks.recall(connection, row, HostBefore)) is not None]
    memories = [memory for row in rows if (memory := tasks.recall(connection, row, ReservedHosts)) is not None]
    return Handled(
        notification,
        vmoves.of_notification(connection, uuid),
        rows,
        approvals.of_notification(connection, uuid),
        reserved_before=any(one.reserved for one in before),
        taken=frozenset(HostUuid(host) for memory in memories for host in memory.tried),
    )
