"""Who may begin on a host: its own recovery alone, those of its instances side by side."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from instance_ha.models.enums import NotificationType
from instance_ha.models.rows import Notification
from instance_ha.store import hosts, notifications, tasks
from instance_ha.store.leases import Lease


def take_host(
    connection: Connection, lease: Lease, notification: Notification, attempt: int, now: datetime
) -> Sequence[str] | None:
    """Become the one recovery of the host or of an instance; the host's own ends those of what runs on it.

    Returns the uuids of the recoveries that it has ended; None while another one is running.
    """
    host_uuid = notification.source_host_uuid
    hosts.lock(connection, host_uuid)  # so that none can start on it while we look
    if notification.type is NotificationType.VM and notifications.host_is_recovered(connection, host_uuid):
        return None
    ended: Sequence[str] = ()
    if notification.type is NotificationType.COMPUTE_HOST:
        message = f"superseded by notification {notification.notification_uuid}: its host has failed"
        ended = notifications.supersede(connection, host_uuid, message, now)
        for uuid in ended:
            tasks.abandon(connection, uuid, now, message)
    return ended if notifications.start(connection, lease, attempt, now) else None
