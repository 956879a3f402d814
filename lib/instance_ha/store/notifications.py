"""Notifications: what the API reads and writes, and the claim of a recovery."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from instance_ha.models.enums import OPEN_NOTIFICATION, NotificationStatus, NotificationType
from instance_ha.models.errors import NotFound
from instance_ha.models.rows import Notification
from instance_ha.store import paging, rows, work
from instance_ha.store.schema import notifications


def find(connection: Connection, uuid: str) -> Notification:
    """Read a notification.

    Raises:
        NotFound: there is none.

    """
    query = select(notifications).where(notifications.c.notification_uuid == uuid, notifications.c.deleted_at.is_(None))
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"notification {uuid} could not be found")
    return rows.notification(row)


def page(connection: Connection, wanted: paging.Page, generated_since: datetime | None) -> list[Notification]:
    """List notifications."""
    since = [notifications.c.generated_time >= generated_since] if generated_since else []
    found = paging.fetch(connection, notifications, wanted, *since, uuid="notification_uuid")
    return [rows.notification(row) for row in found]


def like(connection: Connection, host_uuid: str, kind: str, payload: dict[str, str], limit: int) -> list[Notification]:
    """Read the latest reports of the same failure."""
    query = (
        select(notifications)
        .where(
            notifications.c.source_host_uuid == host_uuid,
            notifications.c.type == kind,
            notifications.c.payload == payload,
            notifications.c.deleted_at.is_(None),
        )
        .order_by(notifications.c.created_at.desc())
        .limit(limit)
    )
    return [rows.notification(row) for row in connection.execute(query).mappings()]


def create(connection: Connection, values: dict[str, Any], now: datetime) -> Notification:
    """Store a report; it is due at once."""
    values = {"notification_uuid": str(uuid4()), "status": NotificationStatus.NEW, "due_at": now, **values}
    statement = insert(notifications).values(created_at=now, **values).returning(notifications)
    return rows.notification(connection.execute(statement).mappings().one())


def claim(connection: Connection, uuid: str, owner: str, now: datetime, seconds: float) -> Notification | None:
    """Take a notification that is not final; None when somebody else has it, or its host is being recovered."""
    statement = (
        update(notifications)
        .where(
            notifications.c.notification_uuid == uuid,
            notifications.c.status.in_([str(status) for status in OPEN_NOTIFICATION]),
            notifications.c.deleted_at.is_(None),
            work.is_free(notifications, now),
            or_(notifications.c.status != NotificationStatus.ERROR, notifications.c.due_at <= now),
        )
        .values(**work.hold(owner, now, seconds))
        .returning(notifications)
    )
    row = connection.execute(statement).mappings().first()
    return rows.notification(row) if row else None


def start(connection: Connection, lease: work.Lease, attempt: int, now: datetime) -> bool:
    """Make a claimed notification ``running``; False while another recovery of its host is running.

    Raises:
        LeaseLost: another invocation has it.

    """
    try:
        with connection.begin_nested():
            lease.write(
                connection,
                status=NotificationStatus.RUNNING,
                attempt=attempt,
                tries=0,
                message=None,
                updated_at=now,
            )
    except IntegrityError:  # notifications_one_running
        return False
    return True


def take_overdue(
    connection: Connection, now: datetime, grace_new: float, grace: float, limit: int
) -> list[Notification]:
    """Return the notifications that nobody has looked at in time, oldest first; new ones have a grace of their own."""
    new = notifications.c.status == NotificationStatus.NEW
    found = [
        *work.take_overdue(connection, notifications, now, grace_new, limit, new),
        *work.take_overdue(connection, notifications, now, grace, limit, not_(new)),
    ]
    return [rows.notification(row._mapping) for row in sorted(found, key=lambda row: row.id)]


def take_away_expired(connection: Connection, created_before: datetime, now: datetime) -> list[Notification]:
    """Take what has lasted too long from whoever works on it, oldest first; it is due, to be closed."""
    statement = (
        update(notifications)
        .where(
            notifications.c.status.in_([str(status) for status in OPEN_NOTIFICATION]),
            notifications.c.created_at < created_before,
            notifications.c.deleted_at.is_(None),
            or_(notifications.c.lease_owner.is_not(None), notifications.c.due_at > now),
        )
        .values(due_at=now, lease_until=None, lease_owner=None)
        .returning(notifications)
    )
    found = [rows.notification(row) for row in connection.execute(statement).mappings()]
    return sorted(found, key=lambda row: row.id)


def supersede(connection: Connection, host_uuid: str, message: str, now: datetime) -> list[Notification]:
    """End a running recovery of an instance or process of a host that is recovered as a whole.

    Whoever works on it loses his lease with that. Returns what was ended.
    """
    statement = (
        update(notifications)
        .where(
            notifications.c.source_host_uuid == host_uuid,
            notifications.c.status == NotificationStatus.RUNNING,
            notifications.c.type != NotificationType.COMPUTE_HOST,
        )
        .values(status=NotificationStatus.IGNORED, message=message, updated_at=now, **work.LET_GO)
        .returning(notifications)
    )
    return [rows.notification(row) for row in connection.execute(statement).mappings()]


def next_waiting(connection: Connection, host_uuid: str, now: datetime) -> Notification | None:
    """Read the oldest report of a host that waits for another recovery to end, and make it due."""
    waiting = (
        select(notifications.c.id)
        .where(
            notifications.c.source_host_uuid == host_uuid,
            notifications.c.status == NotificationStatus.NEW,
            notifications.c.due_at.is_not(None),
            notifications.c.deleted_at.is_(None),
            work.is_free(notifications, now),
        )
        .order_by(notifications.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    statement = update(notifications).where(notifications.c.id.in_(waiting)).values(due_at=now).returning(notifications)
    row = connection.execute(statement).mappings().first()
    return rows.notification(row) if row else None


def lease(notification: Notification, seconds: float) -> work.Lease:
    """Name the lease of a claimed notification."""
    assert notification.lease_owner is not None
    key = notifications.c.notification_uuid
    return work.Lease(notifications, key, notification.notification_uuid, notification.lease_owner, seconds)
