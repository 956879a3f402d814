"""A round: the vmoves that one attempt plans at once, begins in order, and watches together.

Only the dispatcher, which holds the lease of the notification, writes here; its batches are in store/batches.py. One
vmove that is begun is claimed and closed by a handler (store/vmoves.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, and_, bindparam, case, func, insert, or_, select, update

from instance_ha.models.enums import OPEN_VMOVE, VMoveStatus, VMoveStep
from instance_ha.models.rows import InstanceFacts, Notification, VMove
from instance_ha.models.text import NO_VALID_HOST
from instance_ha.models.uuids import NotificationUuid, VMoveUuid
from instance_ha.store.schema import vmoves
from instance_ha.store.vmoves import read

_IS_OF = vmoves.c.notification_uuid == bindparam("of")
_IS_OF_ATTEMPT = _IS_OF, vmoves.c.attempt == bindparam("in_attempt")
_LAST_ROUND = select(func.coalesce(func.max(vmoves.c.round), 0)).where(*_IS_OF_ATTEMPT).scalar_subquery()
_FIRST_WAITING = (
    select(vmoves.c.id)
    .where(_IS_OF, vmoves.c.status == VMoveStatus.PENDING)
    .order_by(vmoves.c.position)
    .limit(1)
    .scalar_subquery()
)
_IN_WORK = (
    select(vmoves)
    .where(_IS_OF, or_(vmoves.c.status == VMoveStatus.ONGOING, vmoves.c.id == _FIRST_WAITING))
    .order_by(vmoves.c.position)
)
_EARLIER = vmoves.alias()
_FAILED_BEFORE = select(_EARLIER.c.id).where(
    _EARLIER.c.notification_uuid == bindparam("of"),
    _EARLIER.c.attempt < bindparam("in_attempt"),
    _EARLIER.c.instance_uuid == vmoves.c.instance_uuid,
    _EARLIER.c.status == VMoveStatus.FAILED,
)
_FITS_NOWHERE = func.coalesce(vmoves.c.message, "").contains(NO_VALID_HOST)
_FAILED_FIRST = and_(vmoves.c.status == VMoveStatus.FAILED, ~_FAILED_BEFORE.exists(), ~_FITS_NOWHERE)
_LAST_ENDED = (
    select(vmoves)
    .where(
        *_IS_OF_ATTEMPT,
        vmoves.c.round == _LAST_ROUND,
        or_(vmoves.c.status == VMoveStatus.SUCCEEDED, _FAILED_FIRST),
    )
    .order_by(vmoves.c.end_time.desc(), vmoves.c.id.desc())
    .limit(bindparam("most"))
)


def plan(
    connection: Connection,
    notification: Notification,
    source_host: str,
    instances: Iterable[tuple[str, str, InstanceFacts]],
    last_migration_id: int,
    now: datetime,
) -> None:
    """Write one pending vmove an instance (id, name, facts) as a new round, in the order of evacuation."""
    new_round = connection.execute(select(_LAST_ROUND + 1), _attempt(notification)).scalar_one()
    rows = [
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
    if rows:
        connection.execute(insert(vmoves), rows)


def _attempt(notification: Notification) -> dict[str, Any]:
    return {"of": notification.notification_uuid, "in_attempt": notification.attempt}


def follow(
    connection: Connection, notification_uuid: NotificationUuid, migrations: Mapping[str, int], now: datetime
) -> None:
    """Have evacuations by others watched (by instance, the record's id), under way or over, and not asked for."""
    for instance, record in migrations.items():
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
    connection.execute(waiting.values(step=VMoveStep.WATCHED, last_migration_id=last_migration_id, asked_at=asked_at))


def planned_after(connection: Connection, notification_uuid: NotificationUuid) -> int:
    """Return the id of the newest evacuation record that was there when the open evacuations were planned."""
    query = select(func.min(vmoves.c.last_migration_id)).where(_IS_OF, vmoves.c.status.in_(OPEN_VMOVE))
    return connection.execute(query, {"of": notification_uuid}).scalar_one() or 0


def aim(connection: Connection, targets: Mapping[VMoveUuid, str]) -> None:
    """Name the destinations of evacuations that have not been asked for."""
    for uuid, target_host in targets.items():
        connection.execute(update(vmoves).where(vmoves.c.uuid == uuid).values(target_host=target_host))


def in_work(connection: Connection, notification_uuid: NotificationUuid) -> tuple[list[VMove], datetime | None]:
    """Read the vmoves in work, in order, and when those that wait for their turn were planned; None when none does."""
    moves = read(connection, _IN_WORK, {"of": notification_uuid})
    ongoing = [move for move in moves if move.status is VMoveStatus.ONGOING]
    return ongoing, next((move.created_at for move in moves if move.status is VMoveStatus.PENDING), None)


def waiting_among(
    connection: Connection, notification_uuid: NotificationUuid, instances: Iterable[str]
) -> dict[str, int]:
    """Name those of the instances whose evacuation waits for its turn, each with the newest record when planned."""
    query = select(vmoves.c.instance_uuid, vmoves.c.last_migration_id).where(
        vmoves.c.notification_uuid == notification_uuid,
        vmoves.c.status == VMoveStatus.PENDING,
        vmoves.c.instance_uuid.in_(list(instances)),
    )
    return {row.instance_uuid: row.last_migration_id for row in connection.execute(query)}


def last_ended(connection: Connection, notification: Notification, limit: int) -> list[VMove]:
    """Read the last vmoves of the present round that have ended after a try and tell something of others, newest first.

    An instance that fails again tells nothing new. One that fits nowhere (its flavor, its group, its devices) tells
    nothing of others: if it did, a few of its kind would keep all those behind them from being tried.
    """
    return read(connection, _LAST_ENDED, _attempt(notification) | {"most": limit})


def destinations(connection: Connection, notification_uuid: NotificationUuid) -> dict[str, tuple[int, int]]:
    """Count by destination the evacuations of a notification that failed on it, and those that it took."""
    failed = vmoves.c.status == VMoveStatus.FAILED
    host = case((failed, vmoves.c.failed_host), else_=vmoves.c.dest_host)
    query = select(host, func.count().filter(failed), func.count().filter(~failed)).where(
        vmoves.c.notification_uuid == notification_uuid, host.is_not(None)
    )
    return {name: (lost, taken) for name, lost, taken in connection.execute(query.group_by(host))}
