"""A round: the vmoves that one attempt plans at once, begins in order, and watches together.

Only the dispatcher, which holds the lease of the notification, writes here; one vmove that is begun is claimed and
closed by a handler (store/vmoves.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Boolean,
    Connection,
    String,
    and_,
    bindparam,
    case,
    column,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.models.enums import OPEN_VMOVE, UNDER_WAY, VMoveStatus, VMoveStep
from instance_ha.models.rows import InstanceFacts, Notification, VMove
from instance_ha.models.text import NO_VALID_HOST
from instance_ha.models.uuids import NotificationUuid, VMoveUuid
from instance_ha.store import records
from instance_ha.store.schema import vmoves
from instance_ha.store.vmoves import read

# A handler may have ended one since the dispatcher has read it; what has ended must not be due again.
_WATCHED = vmoves.c.status == VMoveStatus.ONGOING, vmoves.c.step.in_(UNDER_WAY)
# The invocation that has asked for an evacuation has nothing more to do with it; one that checks it still works on it.
_SENT = vmoves.c.step == VMoveStep.ASKING
_FREE = {name: case((_SENT, None), else_=vmoves.c[name]) for name in ("lease_owner", "lease_until")}
_SETTLED = column("uuid", String), column("dest_host", String), column("locked_by_us", Boolean)
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
    """Have evacuations watched that are under way already (by instance, the record's id), and not asked for."""
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
    begun = update(vmoves).where(vmoves.c.id.in_(records.chosen(waiting)))
    new = {"status": VMoveStatus.ONGOING, "start_time": now, "updated_at": now, "due_at": now}
    started = read(connection, begun.values(**new, target_host=target_host).returning(vmoves))
    return sorted(started, key=lambda move: move.position)


def aim(connection: Connection, targets: Mapping[VMoveUuid, str]) -> None:
    """Name the destinations of evacuations that have not been asked for."""
    for uuid, target_host in targets.items():
        connection.execute(update(vmoves).where(vmoves.c.uuid == uuid).values(target_host=target_host))


def check_again(connection: Connection, uuids: Sequence[str], now: datetime) -> None:
    """Have watched evacuations checked one by one."""
    if uuids:
        watched = update(vmoves).where(vmoves.c.uuid.in_(uuids), *_WATCHED)
        connection.execute(watched.values(**_FREE, due_at=now, updated_at=now))


@dataclass(frozen=True)
class Settled:
    """An evacuation that Nova is done with."""

    uuid: VMoveUuid
    dest_host: str | None  # where it went; None when it failed
    locked_by_us: bool


def settle(connection: Connection, done: Sequence[Settled], now: datetime) -> None:
    """Have the evacuations closed that Nova is done with."""
    if done:
        new = values(*_SETTLED, name="new").data([(one.uuid, one.dest_host, one.locked_by_us) for one in done])
        settled = {"step": VMoveStep.SETTLE, "dest_host": new.c.dest_host, "locked_by_us": new.c.locked_by_us}
        settled["moved_at"] = case((new.c.dest_host.is_not(None), now))
        watched = update(vmoves).where(vmoves.c.uuid == new.c.uuid, *_WATCHED)
        connection.execute(watched.values(**settled, **_FREE, due_at=now, updated_at=now))


def note_locked(connection: Connection, notification_uuid: NotificationUuid, instances: Sequence[str]) -> None:
    """Write down that owners have locked instances which wait for their turn: they shall stay locked."""
    if instances:
        waiting = update(vmoves).where(
            vmoves.c.notification_uuid == notification_uuid,
            vmoves.c.status == VMoveStatus.PENDING,
            vmoves.c.instance_uuid.in_(instances),
        )
        connection.execute(waiting.values(facts=vmoves.c.facts.op("||")(type_coerce({"locked": True}, JSONB))))


def in_work(connection: Connection, notification_uuid: NotificationUuid) -> tuple[list[VMove], datetime | None]:
    """Read the vmoves in work, in order, and when those that wait for their turn were planned; None when none does."""
    moves = read(connection, _IN_WORK, {"of": notification_uuid})
    ongoing = [move for move in moves if move.status is VMoveStatus.ONGOING]
    return ongoing, next((move.created_at for move in moves if move.status is VMoveStatus.PENDING), None)


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
    return read(connection, _LAST_ENDED, _attempt(notification) | {"most": limit})


def destinations(connection: Connection, notification_uuid: NotificationUuid) -> dict[str, tuple[int, int]]:
    """Count by destination the evacuations of a notification that failed on it, and those that it took."""
    failed = vmoves.c.status == VMoveStatus.FAILED
    host = case((failed, vmoves.c.failed_host), else_=vmoves.c.dest_host)
    query = select(host, func.count().filter(failed), func.count().filter(~failed)).where(
        vmoves.c.notification_uuid == notification_uuid, host.is_not(None)
    )
    return {name: (lost, taken) for name, lost, taken in connection.execute(query.group_by(host))}
