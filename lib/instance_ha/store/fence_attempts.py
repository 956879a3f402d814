"""What recoveries do to fence hosts: a row for each rung, written before anything is sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from instance_ha.models.fencing import FenceAttempt, FenceOutcome, Rung
from instance_ha.models.rows import Host, Notification
from instance_ha.models.uuids import HostUuid, NotificationUuid
from instance_ha.store import records
from instance_ha.store.schema import fence_attempts

_OF_ATTEMPT = (
    select(fence_attempts)
    .where(fence_attempts.c.notification_uuid == bindparam("of"), fence_attempts.c.attempt == bindparam("in_attempt"))
    .order_by(fence_attempts.c.round, fence_attempts.c.position)
)


def begin(
    connection: Connection, notification: Notification, host: Host, rung: Rung, number: int, now: datetime
) -> FenceAttempt:
    """Write down that a rung is about to be asked in the round of this ``number``.

    What an earlier recovery of the host has left open has failed.
    """
    left_open = fence_attempts.c.host_uuid == host.uuid, fence_attempts.c.outcome.is_(None)
    ended = {"outcome": FenceOutcome.FAILED, "ended_at": now, "reason": "its recovery has ended"}
    connection.execute(update(fence_attempts).where(*left_open).values(**ended))
    values = {
        "notification_uuid": notification.notification_uuid,
        "attempt": notification.attempt,
        "round": number,
        "host_uuid": host.uuid,
        "position": rung.position,
        "method": rung.method,
        "address": rung.address,
        "begun_at": now,
        "asked_at": now,
    }
    return records.one(connection, insert(fence_attempts).values(**values).returning(fence_attempts), FenceAttempt)


def change(connection: Connection, attempt: FenceAttempt, **values: Any) -> FenceAttempt:
    """Write down what became of a rung."""
    statement = update(fence_attempts).where(fence_attempts.c.id == attempt.id).values(**values)
    return records.one(connection, statement.returning(fence_attempts), FenceAttempt)


def of_attempt(connection: Connection, notification_uuid: NotificationUuid, attempt: int) -> list[FenceAttempt]:
    """Read what one attempt of a recovery has tried, in order."""
    values = {"of": notification_uuid, "in_attempt": attempt}
    return records.every(connection, _OF_ATTEMPT, FenceAttempt, values)


def of_notification(connection: Connection, notification_uuid: NotificationUuid) -> list[FenceAttempt]:
    """Read what a recovery has tried in all its attempts, in order."""
    query = select(fence_attempts).where(fence_attempts.c.notification_uuid == notification_uuid)
    return records.every(connection, query.order_by(fence_attempts.c.id), FenceAttempt)


def was_fenced(connection: Connection, host_uuid: HostUuid) -> bool:
    """Say whether any recovery has fenced a host."""
    off = fence_attempts.c.host_uuid == host_uuid, fence_attempts.c.outcome == FenceOutcome.OFF
    return connection.execute(select(fence_attempts.c.id).where(*off).limit(1)).first() is not None
