"""VMoves: the plan of an attempt, and the claim of one evacuation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, or_, select, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.models.enums import OPEN_VMOVE, NotificationStatus, NotificationType, VMoveStatus, VMoveStep
from instance_ha.models.errors import NotFound
from instance_ha.models.rows import InstanceFacts, Notification, VMove
from instance_ha.models.text import NO_VALID_HOST
from instance_ha.models.uuids import NotificationUuid, VMoveUuid
from instance_ha.store import leases, paging, records
from instance_ha.store.schema import notifications, vmoves

# A handler may have ended one since the dispatcher has read it; what has ended must not be due again.
_WATCHED = vmoves.c.status == VMoveStatus.ONGOING, vmoves.c.step == VMoveStep.WATCHED


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


def page(connection: Connection, notification_uuid: NotificationUuid, wanted: paging.Page) -> list[VMove]:
    """List the vmoves of a notification."""
    within = vmoves.c.notification_uuid == notification_uuid
    return records.every(connection, paging.query(connection, vmoves, wanted, within=within), _vmove)


def by_uuids(connection: Connection, uuids: Iterable[str]) -> list[VMove]:
    """Read vmoves, in order."""
    query = select(vmoves).where(vmoves.c.uuid.in_(list(uuids))).order_by(vmoves.c.position, vmoves.c.id)
    return records.every(connection, query, _vmove)


def plan(
    connection: Connection,
    notification: Notification,
    source_host: str,
    instances: Iterable[tuple[str, str, InstanceFacts]],
    last_migration_id: int,
    now: datetime,
) -> None:
    """Write one pending vmove an instance (id, name, facts) as a new round, in the order of evacuation."""
    new_round = _last_round(connection, notification) + 1
    values = [
        {
            "uuid": str(uuid4()),
            "notification_uuid": notification.notification_uuid,
            "attempt": notification.attempt,
            "round": new_round,
            "position": position,
            "instance_uuid": instance,
            "instance_name": name,
            "source_host": source_host,
            "status": VMoveStatus.PENDING,
            "step": VMoveStep.START,
            "facts": asdict(facts),
            "last_migration_id": last_migration_id,
            "created_at": now,
        }
        for position, (instance, name, facts) in enumerate(instances)
    ]
    if values:
        connection.execute(insert(vmoves), values)


def _last_round(connection: Connection, notification: Notification) -> int:
    of_attempt = _of_attempt(notification.notification_uuid, notification.attempt)
    return connection.execute(select(func.max(vmoves.c.round)).where(*of_attempt)).scalar_one() or 0


def of_attempt(connection: Connection, notification_uuid: NotificationUuid, attempt: int) -> list[VMove]:
    """Read all vmoves of one attempt, round by round, in order."""
    query = select(vmoves).where(*_of_attempt(notification_uuid, attempt))
    return records.every(connection, query.order_by(vmoves.c.round, vmoves.c.position), _vmove)


def of_notification(connection: Connection, notification_uuid: NotificationUuid) -> list[VMove]:
    """Read all vmoves of a notification, the oldest first."""
    query = select(vmoves).where(vmoves.c.notification_uuid == notification_uuid)
    return records.every(connection, query.order_by(vmoves.c.id), _vmove)


def _of_attempt(notification_uuid: NotificationUuid, attempt: int) -> tuple[ColumnElement[bool], ...]:
    return vmoves.c.notification_uuid == notification_uuid, vmoves.c.attempt == attempt


def latest_tries(connection: Connection, source_host: str, instances: Sequence[str]) -> dict[str, VMove]:
    """Read, for each of these instances, its latest vmove that was begun, if it was from this host and did not succeed.

    It knows what the instance was when its host had failed; what Nova shows now may be what we have left.
    """
    begun = vmoves.c.instance_uuid.in_(instances), vmoves.c.start_time.is_not(None)
    newest = select(func.max(vmoves.c.id)).where(*begun).group_by(vmoves.c.instance_uuid)
    return {
        move.instance_uuid: move
        for move in records.every(connection, select(vmoves).where(vmoves.c.id.in_(newest)), _vmove)
        if move.status is not VMoveStatus.SUCCEEDED and move.source_host == source_host
    }


def begun_since_the_last_success(connection: Connection, notification: Notification) -> Sequence[str]:
    """Name the instances that recoveries of a host have begun to evacuate since the last one that has finished.

    A finished recovery has settled all that was before it. What a failed one has left is settled by nobody, and the
    next one of the host has to look at it: this one, or an earlier one, has begun it.
    """
    of_host = (
        notifications.c.source_host_uuid == notification.source_host_uuid,
        notifications.c.type == NotificationType.COMPUTE_HOST,
    )
    finished = select(func.max(notifications.c.id)).where(
        *of_host, notifications.c.status == NotificationStatus.FINISHED, notifications.c.id < notification.id
    )
    since = select(notifications.c.notification_uuid).where(
        *of_host, notifications.c.id > func.coalesce(finished.scalar_subquery(), 0)
    )
    query = select(vmoves.c.instance_uuid).distinct()
    begun = query.where(vmoves.c.notification_uuid.in_(since), vmoves.c.start_time.is_not(None))
    return connection.execute(begun).scalars().all()


def ongoing(connection: Connection, notification_uuid: NotificationUuid) -> list[VMove]:
    """Read the vmoves in work, in order."""
    query = select(vmoves).where(
        vmoves.c.notification_uuid == notification_uuid, vmoves.c.status == VMoveStatus.ONGOING
    )
    return records.every(connection, query.order_by(vmoves.c.position), _vmove)


def start_next(
    connection: Connection, notification_uuid: NotificationUuid, slots: int, target_host: str | None, now: datetime
) -> list[VMove]:
    """Begin the next pending vmoves, first ones first; returns them in that order."""
    waiting = (
        select(vmoves.c.id)
        .where(vmoves.c.notification_uuid == notification_uuid, vmoves.c.status == VMoveStatus.PENDING)
        .order_by(vmoves.c.position)
        .limit(slots)
        .with_for_update()
    )
    begun = update(vmoves).where(vmoves.c.id.in_(waiting))
    values = {"status": VMoveStatus.ONGOING, "start_time": now, "updated_at": now, "due_at": now}
    started = records.every(connection, begun.values(**values, target_host=target_host).returning(vmoves), _vmove)
    return sorted(started, key=lambda move: move.position)


def check_again(connection: Connection, uuids: Sequence[str], now: datetime) -> None:
    """Have watched evacuations checked one by one."""
    if uuids:
        watched = update(vmoves).where(vmoves.c.uuid.in_(uuids), *_WATCHED)
        connection.execute(watched.values(due_at=now, updated_at=now))


def settle(connection: Connection, uuid: VMoveUuid, dest_host: str | None, locked_by_us: bool, now: datetime) -> None:
    """Have an evacuation closed that Nova is done with; where it went is None when it failed."""
    values = {"step": VMoveStep.SETTLE, "dest_host": dest_host, "locked_by_us": locked_by_us}
    watched = update(vmoves).where(vmoves.c.uuid == uuid, *_WATCHED)
    connection.execute(watched.values(**values, due_at=now, updated_at=now))


def follow(
    connection: Connection, notification_uuid: NotificationUuid, records: Mapping[str, int], now: datetime
) -> None:
    """Have evacuations watched that are under way already (by instance, the record's id), and not asked for."""
    for instance, record in records.items():
        _watch(connection, notification_uuid, instance, record - 1, now)


def await_late(connection: Connection, notification_uuid: NotificationUuid, earlier: Iterable[VMove]) -> None:
    """Have evacuations watched as if these requests of earlier vmoves were their own: Nova may still carry them out."""
    for move in earlier:
        _watch(connection, notification_uuid, move.instance_uuid, move.last_migration_id, move.asked_at)


def _watch(
    connection: Connection,
    notification_uuid: NotificationUuid,
    instance: str,
    last_migration_id: int,
    asked_at: datetime | None,
) -> None:
    waiting = update(vmoves).where(
        vmoves.c.notification_uuid == notification_uuid,
        vmoves.c.status == VMoveStatus.PENDING,
        vmoves.c.step == VMoveStep.START,
        vmoves.c.instance_uuid == instance,
    )
    values = {"step": VMoveStep.WATCHED, "last_migration_id": last_migration_id, "asked_at": asked_at}
    connection.execute(waiting.values(**values))


def planned_after(connection: Connection, notification_uuid: NotificationUuid) -> int:
    """Return the id of the newest evacuation record that was there when the open evacuations were planned."""
    query = select(func.min(vmoves.c.last_migration_id)).where(
        vmoves.c.notification_uuid == notification_uuid, vmoves.c.status.in_(OPEN_VMOVE)
    )
    return connection.execute(query).scalar_one() or 0


def note_locked(connection: Connection, notification_uuid: NotificationUuid, instances: Sequence[str]) -> None:
    """Write down that owners have locked instances which wait for their turn: they shall stay locked."""
    if instances:
        waiting = update(vmoves).where(
            vmoves.c.notification_uuid == notification_uuid,
            vmoves.c.status == VMoveStatus.PENDING,
            vmoves.c.instance_uuid.in_(instances),
        )
        connection.execute(waiting.values(facts=vmoves.c.facts.op("||")(type_coerce({"locked": True}, JSONB))))


def waiting_since(connection: Connection, notification_uuid: NotificationUuid) -> datetime | None:
    """Say when the evacuations that wait for their turn were planned; None when none does."""
    query = select(func.min(vmoves.c.created_at)).where(
        vmoves.c.notification_uuid == notification_uuid, vmoves.c.status == VMoveStatus.PENDING
    )
    planned: datetime | None = connection.execute(query).scalar_one()
    return planned


def waiting_among(
    connection: Connection, notification_uuid: NotificationUuid, instances: Iterable[str]
) -> Sequence[str]:
    """Name those of the instances whose evacuation waits for its turn."""
    query = select(vmoves.c.instance_uuid).where(
        vmoves.c.notification_uuid == notification_uuid,
        vmoves.c.status == VMoveStatus.PENDING,
        vmoves.c.instance_uuid.in_(list(instances)),
    )
    return connection.execute(query).scalars().all()


def last_ended(connection: Connection, notification: Notification, limit: int) -> list[VMove]:
    """Read the last vmoves of the present round that have ended after a try and tell something of others, newest first.

    An instance that fails again tells nothing new. One that fits nowhere (its flavor, its group, its devices) tells
    nothing of others: if it did, a few of its kind would keep all those behind them from being tried.
    """
    of_attempt = _of_attempt(notification.notification_uuid, notification.attempt)
    in_round = vmoves.c.round == _last_round(connection, notification)
    earlier = vmoves.alias()
    failed_before = select(earlier.c.id).where(
        earlier.c.notification_uuid == notification.notification_uuid,
        earlier.c.attempt < notification.attempt,
        earlier.c.instance_uuid == vmoves.c.instance_uuid,
        earlier.c.status == VMoveStatus.FAILED,
    )
    fits_nowhere = func.coalesce(vmoves.c.message, "").contains(NO_VALID_HOST)
    failed_first = and_(vmoves.c.status == VMoveStatus.FAILED, ~failed_before.exists(), ~fits_nowhere)
    query = (
        select(vmoves)
        .where(*of_attempt, in_round, or_(vmoves.c.status == VMoveStatus.SUCCEEDED, failed_first))
        .order_by(vmoves.c.end_time.desc(), vmoves.c.id.desc())
        .limit(limit)
    )
    return records.every(connection, query, _vmove)


def destinations(connection: Connection, notification_uuid: NotificationUuid) -> dict[str, tuple[int, int]]:
    """Count by destination the evacuations of a notification that failed on it, and those that it took."""
    failed = vmoves.c.status == VMoveStatus.FAILED
    host = case((failed, vmoves.c.failed_host), else_=vmoves.c.dest_host)
    query = select(host, func.count().filter(failed), func.count().filter(~failed)).where(
        vmoves.c.notification_uuid == notification_uuid, host.is_not(None)
    )
    return {name: (lost, taken) for name, lost, taken in connection.execute(query.group_by(host))}


def aim(connection: Connection, targets: Mapping[VMoveUuid, str]) -> None:
    """Name the destinations of evacuations that have not been asked for."""
    for uuid, target_host in targets.items():
        connection.execute(update(vmoves).where(vmoves.c.uuid == uuid).values(target_host=target_host))


def claim(connection: Connection, uuid: str, owner: str, now: datetime, seconds: float) -> VMove | None:
    """Take an ongoing vmove of a running notification; None when another invocation has it, or it is done."""
    running = (
        select(notifications.c.id)
        .where(
            notifications.c.notification_uuid == vmoves.c.notification_uuid,
            notifications.c.status == "running",
        )
        .exists()
    )
    statement = (
        update(vmoves)
        .where(vmoves.c.uuid == uuid, vmoves.c.status == VMoveStatus.ONGOING, leases.is_free(vmoves, now), running)
        .values(**leases.hold(owner, now, seconds))
        .returning(vmoves)
    )
    return records.first(connection, statement, _vmove)


def take_back(connection: Connection, uuid: VMoveUuid, message: str, now: datetime) -> None:
    """Make a vmove failed that was taken for succeeded."""
    succeeded = update(vmoves).where(vmoves.c.uuid == uuid, vmoves.c.status == VMoveStatus.SUCCEEDED)
    connection.execute(succeeded.values(status=VMoveStatus.FAILED, message=message, updated_at=now))


def ignore_pending(
    connection: Connection, notification_uuid: NotificationUuid, message: str, now: datetime
) -> Sequence[str]:
    """End what has not begun yet; returns the uuids."""
    return _ignore(connection, notification_uuid, frozenset({VMoveStatus.PENDING}), message, now)


def ignore_open(
    connection: Connection, notification_uuid: NotificationUuid, message: str, now: datetime
) -> Sequence[str]:
    """End what is still open of an attempt that has ended itself; returns the uuids."""
    return _ignore(connection, notification_uuid, OPEN_VMOVE, message, now)


def _ignore(
    connection: Connection,
    notification_uuid: NotificationUuid,
    statuses: frozenset[VMoveStatus],
    message: str,
    now: datetime,
) -> Sequence[str]:
    values: dict[str, Any] = {"status": VMoveStatus.IGNORED, "message": message, "end_time": now, "updated_at": now}
    open_ones = vmoves.c.status.in_(statuses)
    statement = (
        update(vmoves)
        .where(vmoves.c.notification_uuid == notification_uuid, open_ones)
        .values(**values, due_at=None, lease_until=None, lease_owner=None)
        .returning(vmoves.c.uuid)
    )
    return connection.execute(statement).scalars().all()


def lease(move: VMove, seconds: float) -> leases.Lease:
    """Name the lease of a claimed vmove."""
    assert move.lease_owner is not None
    return leases.Lease(vmoves, vmoves.c.uuid, move.uuid, move.lease_owner, seconds)
