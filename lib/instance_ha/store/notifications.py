"""Notifications: what the API reads and writes, and the claim of a recovery."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from instance_ha.models.enums import OPEN_NOTIFICATION, NotificationStatus, NotificationType
from instance_ha.models.errors import AlreadyRunning, NotFound
from instance_ha.models.rows import Notification
from instance_ha.models.uuids import HostUuid, NotificationUuid, SegmentUuid, instance_of
from instance_ha.store import leases, paging, records
from instance_ha.store.schema import OPEN, notifications

_INSTANCE = "instance_uuid"  # in a payload
_BY_UUID = select(notifications).where(
    notifications.c.notification_uuid == bindparam("wanted"), notifications.c.deleted_at.is_(None)
)
_IS_OPEN, _IS_DUE = notifications.c.status.in_(OPEN_NOTIFICATION), notifications.c.due_at <= bindparam("now")
_CLAIM = (
    update(notifications)
    .where(
        notifications.c.notification_uuid == bindparam("wanted"),
        or_(_IS_OPEN, _IS_DUE),
        notifications.c.deleted_at.is_(None),
        leases.is_free(notifications, bindparam("now")),
        or_(notifications.c.status != NotificationStatus.ERROR, _IS_DUE),
    )
    .returning(notifications)
)
_SAYS_THE_SAME = notifications.c.payload.op("-")(_INSTANCE) == bindparam("details", type_=JSONB)
# No "is not distinct from", which would do for both: an index cannot be asked for it.
_IS_ABOUT_ONE = notifications.c.instance_uuid == bindparam("instance")
# Whatever else a host has reported is not read: each of the three has its index.
_LIKE = (
    select(notifications)
    .where(
        notifications.c.source_host_uuid == bindparam("host"),
        notifications.c.type == bindparam("kind"),
        notifications.c.deleted_at.is_(None),
        or_(
            notifications.c.status.in_(OPEN),
            notifications.c.created_at >= bindparam("created_since"),
            notifications.c.generated_time.between(bindparam("generated_since"), bindparam("generated_until")),
        ),
        _SAYS_THE_SAME,
    )
    .order_by(notifications.c.created_at.desc(), notifications.c.id.desc())
)
_LIKE_OF_INSTANCE, _LIKE_OF_NONE = _LIKE.where(_IS_ABOUT_ONE), _LIKE.where(notifications.c.instance_uuid.is_(None))
_COUNT_FINISHED = select(func.count()).where(
    notifications.c.type == literal_column("'VM'"),  # as the index has it
    _SAYS_THE_SAME,
    _IS_ABOUT_ONE,
    notifications.c.status == NotificationStatus.FINISHED,
    notifications.c.attempt > 0,
    notifications.c.created_at > bindparam("since"),
)
_CREATE = insert(notifications).returning(notifications)


def find(connection: Connection, uuid: NotificationUuid) -> Notification:
    """Read a notification.

    Raises:
        NotFound: there is none.

    """
    found = records.first(connection, _BY_UUID, Notification, {"wanted": uuid})
    if found is None:
        raise NotFound(f"notification {uuid} could not be found")
    return found


def by_uuid(connection: Connection, uuid: str | None, *, lock: bool = False) -> Notification | None:
    """Read a notification that may be gone; with ``lock`` its recovery is neither held nor released meanwhile."""
    if uuid is None:
        return None
    query = _BY_UUID.with_for_update() if lock else _BY_UUID
    return records.first(connection, query, Notification, {"wanted": uuid})


def page(connection: Connection, wanted: paging.Page, generated_since: datetime | None) -> list[Notification]:
    """List notifications."""
    since = [notifications.c.generated_time >= generated_since] if generated_since else []
    query = paging.query(connection, notifications, wanted, *since, uuid="notification_uuid")
    return records.every(connection, query, Notification)


def like(connection: Connection, values: Mapping[str, Any], now: datetime, interval: float) -> list[Notification]:
    """Read the reports of the same failure that are open, or no more than ``interval`` seconds apart by any clock.

    The latest comes first. ``values`` are those of the new report.
    """
    said, seconds = _said(values["payload"]), timedelta(seconds=interval)
    query = _LIKE_OF_NONE if said["instance"] is None else _LIKE_OF_INSTANCE
    about = {"host": values["source_host_uuid"], "kind": values["type"], "created_since": now - seconds}
    generated: datetime = values["generated_time"]
    apart = {"generated_since": generated - seconds, "generated_until": generated + seconds}
    return records.every(connection, query, Notification, about | apart | said)


def count_finished(connection: Connection, payload: dict[str, str], since: datetime) -> int:
    """Count the recoveries from equal failures of an instance, on whatever host, that were reported since a time."""
    return int(connection.execute(_COUNT_FINISHED, {"since": since, **_said(payload)}).scalar_one())


def create(connection: Connection, values: dict[str, Any], now: datetime) -> Notification:
    """Store a report; it is due at once."""
    made = {"notification_uuid": str(uuid4()), "status": NotificationStatus.NEW, "due_at": now}
    values = {**made, "instance_uuid": instance_of(values["payload"]), **values}
    return records.one(connection, _CREATE, Notification, {"created_at": now, **values})


def claim(connection: Connection, uuid: str, owner: str, now: datetime, seconds: float) -> Notification | None:
    """Take a notification that is not final, or is due for its final check; None when another invocation has it."""
    about = {"wanted": uuid, "now": now, **leases.hold(owner, now, seconds)}
    return records.first(connection, _CLAIM, Notification, about)


def take_expired(connection: Connection, before: datetime, now: datetime) -> int:
    """Take notifications older than ``before`` from the invocations that still work on them; returns how many.

    Of what a pause has held the age counts from the pause's end.
    """
    is_open = and_(_IS_OPEN, notifications.c.deleted_at.is_(None))  # as the index has it
    begun = func.greatest(notifications.c.created_at, notifications.c.paused_until)  # of Postgres: ignores null
    held = notifications.c.lease_until.is_not(None)
    taken = update(notifications).where(is_open, held, begun < before)
    return connection.execute(taken.values(lease_owner=None, lease_until=None, due_at=now)).rowcount


def supersede_processes(
    connection: Connection, host_uuid: HostUuid, message: str, now: datetime
) -> Sequence[NotificationUuid]:
    """End the recoveries of a host's processes, and return their uuids; their invocations lose them."""
    is_process = notifications.c.type == NotificationType.PROCESS
    return _supersede(connection, message, now, None, is_process, notifications.c.source_host_uuid == host_uuid)


def supersede_instances(
    connection: Connection, instances: Iterable[str], message: str, now: datetime, check_at: datetime
) -> Sequence[NotificationUuid]:
    """End the recoveries of instances, whatever host they were reported on; returns the uuids of the recoveries.

    Each has its final check at ``check_at``: Nova may yet carry out its stop.
    """
    return _supersede(connection, message, now, check_at, is_about(list(instances)))


def is_about(instances: Sequence[str] | BindParameter[Any]) -> ColumnElement[bool]:
    """Match the notifications about the failure of one of the instances, whatever host they name."""
    is_one = notifications.c.instance_uuid.in_(instances)
    return and_(notifications.c.type == literal_column("'VM'"), is_one)  # as the index has it


def _said(payload: dict[str, str]) -> dict[str, Any]:
    """Return what ``_SAYS_THE_SAME`` leaves open; the uuid of an instance is the same in each of its spellings."""
    details = {name: value for name, value in payload.items() if name != _INSTANCE}
    return {"details": details, "instance": instance_of(payload)}


def _supersede(
    connection: Connection, message: str, now: datetime, due_at: datetime | None, *which: ColumnElement[bool]
) -> Sequence[NotificationUuid]:
    ended = {"status": NotificationStatus.IGNORED, "message": message, "updated_at": now}
    statement = (
        update(notifications)
        .where(notifications.c.status == NotificationStatus.RUNNING, *which)
        .values(**ended, due_at=due_at, lease_until=None, lease_owner=None)
        .returning(notifications.c.notification_uuid)
    )
    return connection.execute(statement).scalars().all()


def held_in_segment(connection: Connection, segment_uuid: SegmentUuid) -> list[Notification]:
    """Read the notifications of a segment whose recoveries are held."""
    query = select(notifications).where(
        notifications.c.failover_segment_uuid == segment_uuid, notifications.c.held_since.is_not(None)
    )
    return records.every(connection, query.order_by(notifications.c.id), Notification)


def start(connection: Connection, lease: leases.Lease, attempt: int, now: datetime) -> None:
    """Make a claimed notification ``running``.

    Raises:
        LeaseLost: another invocation has it.
        AlreadyRunning: another of its host or instance is; the transaction can do nothing more.

    """
    status = NotificationStatus.RUNNING
    try:
        lease.write(connection, status=status, attempt=attempt, tries=0, message=None, updated_at=now)
    except IntegrityError:  # notifications_one_running, or notifications_one_running_instance
        raise AlreadyRunning from None


def lease(notification: Notification, seconds: float) -> leases.Lease:
    """Name the lease of a claimed notification."""
    assert notification.lease_owner is not None
    key = notifications.c.notification_uuid
    return leases.Lease(notifications, key, notification.notification_uuid, notification.lease_owner, seconds)
