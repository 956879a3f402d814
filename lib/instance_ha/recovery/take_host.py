"""Who may begin on a host: its own recovery alone, those of its instances side by side."""

from datetime import datetime

from sqlalchemy import Connection

from instance_ha.models.enums import NotificationType
from instance_ha.models.rows import Notification
from instance_ha.store import hosts, notifications, tasks
from instance_ha.store.work import Lease


def take_host(connection: Connection, lease: Lease, notification: Notification, attempt: int, now: datetime) -> bool:
    """Become the one recovery of the host or of an instance; the host's own ends those of what runs on it."""
    host_uuid = notification.source_host_uuid
    hosts.lock(connection, host_uuid)  # so that none can start on it while we look
    if notification.type is NotificationType.VM and notifications.host_is_recovered(connection, host_uuid):
        return False
    if notification.type is NotificationType.COMPUTE_HOST:
        message = f"superseded by notification {notification.notification_uuid}: its host has failed"
        for uuid in notifications.supersede(connection, host_uuid, message, now):
            tasks.abandon(connection, uuid, now, message)
    return notifications.start(connection, lease, attempt, now)
