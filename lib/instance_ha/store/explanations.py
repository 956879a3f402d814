"""All that was written down of one recovery."""

from sqlalchemy import Connection

from instance_ha.decide.explanation import Rows
from instance_ha.decide.outcome import LeftOut
from instance_ha.decide.service import ServiceBefore
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import (
    approvals,
    evidence,
    fence_attempts,
    gates,
    hosts,
    notifications,
    policies,
    segments,
    tasks,
    vmoves,
)

_MOST = 100  # decisions of gates, the newest


def rows_of(connection: Connection, uuid: NotificationUuid) -> Rows:
    """Read a recovery; so many statements, however many instances it has.

    Raises:
        NotFound: there is no such notification.

    """
    notification = notifications.find(connection, uuid)
    host = hosts.by_uuid(connection, notification.source_host_uuid)
    segment = notification.failover_segment_uuid
    return Rows(
        notification=notification,
        host=host,
        segment=segments.find(connection, host.failover_segment_id) if host else None,
        policy=policies.of_segment(connection, segment) if segment else None,
        evidence=evidence.of_recovery(connection, notification),
        fences=fence_attempts.of_notification(connection, uuid),
        tasks=tasks.of_notification(connection, uuid),
        moves=vmoves.of_notification(connection, uuid),
        left_out=tasks.recall_latest(connection, uuid, LeftOut) or LeftOut(),
        service=tasks.recall_latest(connection, uuid, ServiceBefore),
        decisions=gates.page(connection, uuid, None, _MOST),
        approvals=approvals.of_notification(connection, uuid),
    )
