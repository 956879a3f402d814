"""VMoves: what is read of them, and the claim of one evacuation."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Executable, and_, bindparam, case, func, or_, select, update

from instance_ha.models.enums import OPEN_VMOVE, NotificationStatus, NotificationType, VMoveStatus, VMoveStep, VMoveType
from instance_ha.models.errors import NotFound
from instance_ha.models.rows import InstanceFacts, Notification, VMove
from instance_ha.models.uuids import NotificationUuid, VMoveUuid
from instance_ha.store import leases, paging, records
from instance_ha.store.schema import notifications, vmoves

IS_EVACUATION = vmoves.c.type == VMoveType.EVACUATION
_AGENT_STARTS = timedelta(minutes=15)  # a guest whose agent answers later has booted earlier
_IS_OF = vmoves.c.notification_uuid == bindparam("of")
_OF_NOTIFICATION = select(vmoves).where(_IS_OF, IS_EVACUATION).order_by(vmoves.c.id)
_UNDER_WAY = (
    select(func.count())
    .select_from(vmoves.join(notifications, notifications.c.notification_uuid == vmoves.c.notification_uuid))
    .where(vmoves.c.status == VMoveStatus.ONGOING, notifications.c.status == NotificationStatus.RUNNING)
)
_LATEST_TRIES = select(vmoves).where(
    vmoves.c.id.in_(
        select(func.max(vmoves.c.id))
        .where(
            vmoves.c.instance_uuid.in_(bindparam("instances", expanding=True)),
            vmoves.c.start_time.is_not(None),
            IS_EVACUATION,
        )
        .group_by(vmoves.c.instance_uuid)
    )
)
_OF_HOST = (
    notifications.c.source_host_uuid == bindparam("host"),
    notifications.c.type == NotificationType.COMPUTE_HOST,
)
_LAST_FINISHED = (
    select(func.max(notifications.c.id))
    .where(
        *_OF_HOST,
        notifications.c.status == NotificationStatus.FINISHED,
        notifications.c.id < bindparam("recovery"),
    )
    .scalar_subquery()
)
_BEGUN_SINCE_THE_LAST_SUCCESS = (
    select(vmoves.c.instance_uuid)
    .distinct()
    .where(
        vmoves.c.notification_uuid.in_(
            select(notifications.c.notification_uuid).where(
                *_OF_HOST, notifications.c.id > func.coalesce(_LAST_FINISHED, 0)
            )
        ),
        vmoves.c.start_time.is_not(None),
    )
)
_TO_BE_LOCKED = and_(vmoves.c.step == VMoveStep.START, ~func.coalesce(vmoves.c.facts["locked"].as_boolean(), False))
_RUNNING = (
    select(notifications.c.id)
    .where(
        notifications.c.notification_uuid == vmoves.c.notification_uuid,
        notifications.c.status == NotificationStatus.RUNNING,
    )
    .exists()
)
_CLAIM = (
    update(vmoves)
    .where(
        vmoves.c.uuid == bindparam("wanted"),
        vmoves.c.status == VMoveStatus.ONGOING,
        leases.is_free(vmoves, bindparam("now")),
        _RUNNING,
    )
    .values(
        locked_by_us=or_(vmoves.c.locked_by_us, _TO_BE_LOCKED),
        step=case((vmoves.c.step == VMoveStep.ASKING, VMoveStep.WATCHED), else_=vmoves.c.step),
    )
    .returning(vmoves)
)
_END = (
    update(vmoves)
    .where(_IS_OF, vmoves.c.status.in_(bindparam("statuses", expanding=True)))
    .values(status=VMoveStatus.IGNORED, due_at=None, lease_until=None, lease_owner=None)
    .returning(vmoves)
)


def find(connection: Connection, notification_uuid: NotificationUuid, uuid: VMoveUuid) -> VMove:
    """Read a vmove of a notification.

    Raises:
        NotFound: the notification has no such vmove.

    """
    query = select(vmoves).where(
        vmoves.c.uuid == uuid, vmoves.c.notification_uuid == notification_uuid, vmoves.c.deleted_at.is_(None)
    )
    found = records.first(connection, query, _vmove)
    if found is None:
        raise NotFound(f"vmove {uuid} could not be found")
    return found


def _vmove(facts: dict[str, Any], **columns: Any) -> VMove:
    return VMove(facts=records.part(InstanceFacts, facts), **columns)


def read(
    connection: Connection, statement: Executable, values: Mapping[str, Any] = MappingProxyType({})
) -> list[VMove]:
    """Read the whole vmoves that a statement returns. ``values`` are what it leaves open."""
    return records.every(connection, statement, _vmove, values)


def page(connection: Connection, notification_uuid: NotificationUuid, wanted: paging.Page) -> list[VMove]:
    """List the vmoves of a notification."""
    within = vmoves.c.notification_uuid == notification_uuid
    return read(connection, paging.query(connection, vmoves, wanted, within=within))


def by_uuids(connection: Connection, uuids: Iterable[str]) -> list[VMove]:
    """Read vmoves, in order."""
    query = select(vmoves).where(vmoves.c.uuid.in_(list(uuids))).order_by(vmoves.c.position, vmoves.c.id)
    return read(connection, query)


def of_attempt(connection: Connection, notification_uuid: NotificationUuid, attempt: int) -> list[VMove]:
    """Read all evacuations of one attempt, round by round, in order."""
    query = select(vmoves).where(vmoves.c.notification_uuid == notification_uuid, vmoves.c.attempt == attempt)
    return read(connection, query.order_by(vmoves.c.round, vmoves.c.position))


def of_notification(connection: Connection, notification_uuid: NotificationUuid) -> list[VMove]:
    """Read all evacuations of a notification, the oldest first."""
    return read(connection, _OF_NOTIFICATION, {"of": notification_uuid})


def latest_tries(connection: Connection, source_host: str, instances: Sequence[str]) -> dict[str, VMove]:
    """Read, for each of these instances, its latest vmove that was begun, if it was from this host and did not succeed.

    It knows what the instance was when its host had failed; what Nova shows now may be what we have left.
    """
    return {
        move.instance_uuid: move
        for move in read(connection, _LATEST_TRIES, {"instances": instances})
        if move.status is not VMoveStatus.SUCCEEDED and move.source_host == source_host
    }


def last_begun(connection: Connection, instance: str) -> VMove | None:
    """Read the latest evacuation of an instance that was begun."""
    return next(iter(read(connection, _LATEST_TRIES, {"instances": [instance]})), None)


def begun_since_the_last_success(connection: Connection, notification: Notification) -> Sequence[str]:
    """Name the instances that recoveries of a host have begun to evacuate since the last one that has finished.

    A finished recovery has settled all that was before it. What a failed one has left is settled by nobody, and the
    next one of the host has to look at it: this one, or an earlier one, has begun it.
    """
    about = {"host": notification.source_host_uuid, "recovery": notification.id}
    return connection.execute(_BEGUN_SINCE_THE_LAST_SUCCESS, about).scalars().all()


def claim(connection: Connection, uuid: str, owner: str, now: datetime, seconds: float) -> VMove | None:
    """Take an ongoing vmove of a running notification; None when another invocation has it, or it is done.

    What is written down before the instance is locked, that it may be locked by us from now on, is written with it.
    """
    about = {"wanted": uuid, "now": now, **leases.hold(owner, now, seconds)}
    return records.first(connection, _CLAIM, _vmove, about)


def evacuations_under_way(connection: Connection) -> int:
    """Count the evacuations of all recoveries that have begun and not ended."""
    return connection.execute(_UNDER_WAY).scalar_one()


def note_agents(connection: Connection, host: str, instances: Sequence[str], now: datetime) -> None:
    """Note the first answers of guest agents since their instances came to a host; none that comes long after that."""
    if instances:
        came = update(vmoves).where(
            vmoves.c.instance_uuid.in_(instances),
            vmoves.c.dest_host == host,
            vmoves.c.agent_at.is_(None),
            vmoves.c.moved_at > now - _AGENT_STARTS,
        )
        connection.execute(came.values(agent_at=now))


def take_back(connection: Connection, uuid: VMoveUuid, message: str, now: datetime) -> None:
    """Make a vmove failed that was taken for succeeded."""
    succeeded = update(vmoves).where(vmoves.c.uuid == uuid, vmoves.c.status == VMoveStatus.SUCCEEDED)
    connection.execute(succeeded.values(status=VMoveStatus.FAILED, message=message, updated_at=now))


def ignore_pending(
    connection: Connection, notification_uuid: NotificationUuid, message: str, now: datetime
) -> Sequence[str]:
    """End what has not begun yet; returns the uuids."""
    ended = _ignore(connection, notification_uuid, frozenset({VMoveStatus.PENDING}), message, now)
    return [move.uuid for move in ended]


def ignore_open(
    connection: Connection, notification_uuid: NotificationUuid, message: str, now: datetime
) -> list[VMove]:
    """End what is still open of an attempt that has ended itself; returns it, in order."""
    return _ignore(connection, notification_uuid, OPEN_VMOVE, message, now)


def _ignore(
    connection: Connection,
    notification_uuid: NotificationUuid,
    statuses: frozenset[VMoveStatus],
    message: str,
    now: datetime,
) -> list[VMove]:
    about = {"of": notification_uuid, "statuses": list(statuses)}
    ended = read(connection, _END, about | {"message": message, "end_time": now, "updated_at": now})
    return sorted(ended, key=lambda move: move.position)


def lease(move: VMove, seconds: float) -> leases.Lease:
    """Name the lease of a claimed vmove."""
    assert move.lease_owner is not None
    return leases.Lease(vmoves, vmoves.c.uuid, move.uuid, move.lease_owner, seconds)
