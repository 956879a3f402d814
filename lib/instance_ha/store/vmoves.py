"""VMoves: the plan of an attempt, and the claim of one evacuation."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from instance_ha.models.enums import OPEN_VMOVE, VMoveStatus, VMoveStep
from instance_ha.models.errors import NotFound
from instance_ha.models.rows import InstanceFacts, Notification, VMove
from instance_ha.store import paging, rows, work
from instance_ha.store.schema import notifications, vmoves


def find(connection: Connection, notification_uuid: str, uuid: str) -> VMove:
    """Read a vmove of a notification.

    Raises:
        NotFound: the notification has no such vmove.

    """
    query = select(vmoves).where(
        vmoves.c.uuid == uuid, vmoves.c.notification_uuid == notification_uuid, vmoves.c.deleted_at.is_(None)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"vmove {uuid} could not be found")
    return rows.vmove(row)


def page(connection: Connection, notification_uuid: str, wanted: paging.Page) -> list[VMove]:
    """List the vmoves of a notification."""
    within = vmoves.c.notification_uuid == notification_uuid
    return [rows.vmove(row) for row in paging.fetch(connection, vmoves, wanted, within=within)]


def by_uuids(connection: Connection, uuids: Iterable[str]) -> list[VMove]:
    """Read vmoves, in order."""
    query = select(vmoves).where(vmoves.c.uuid.in_(list(uuids))).order_by(vmoves.c.position, vmoves.c.id)
    return [rows.vmove(row) for row in connection.execute(query).mappings()]


def plan(
    connection: Connection,
    notification: Notification,
    source_host: str,
    instances: Iterable[tuple[str, str, InstanceFacts]],
    newer_than: int,
    now: datetime,
) -> None:
    """Write one pending vmove an instance (id, name, facts), in the order of evacuation."""
    values = [
        {
            "uuid": str(uuid4()),
            "notification_uuid": notification.notification_uuid,
            "attempt": notification.attempt,
            "position": position,
            "instance_uuid": instance,
            "instance_name": name,
            "source_host": source_host,
            "status": VMoveStatus.PENDING,
            "step": VMoveStep.START,
            "facts": rows.facts_json(facts),
            "newer_than": newer_than,
            "created_at": now,
        }
        for position, (instance, name, facts) in enumerate(instances)
    ]
    if values:
        connection.execute(insert(vmoves), values)


def of_attempt(connection: Connection, notification_uuid: str, attempt: int) -> list[VMove]:
    """Read all vmoves of one attempt, in order."""
    query = select(vmoves).where(vmoves.c.notification_uuid == notification_uuid, vmoves.c.attempt == attempt)
    return [rows.vmove(row) for row in connection.execute(query.order_by(vmoves.c.position)).mappings()]


def ongoing(connection: Connection, notification_uuid: str) -> list[VMove]:
    """Read the vmoves in work."""
    query = select(vmoves).where(
        vmoves.c.notification_uuid == notification_uuid, vmoves.c.status == VMoveStatus.ONGOING
    )
    return [rows.vmove(row) for row in connection.execute(query).mappings()]


def start_next(connection: Connection, notification_uuid: str, slots: int, now: datetime) -> Sequence[str]:
    """Begin the next pending vmoves, first ones first; returns their uuids in that order."""
    waiting = (
        select(vmoves.c.id)
        .where(vmoves.c.notification_uuid == notification_uuid, vmoves.c.status == VMoveStatus.PENDING)
        .order_by(vmoves.c.position)
        .limit(slots)
        .with_for_update()
    )
    begun = update(vmoves).where(vmoves.c.id.in_(waiting))
    values = {"status": VMoveStatus.ONGOING, "start_time": now, "updated_at": now, "due_at": now}
    result = connection.execute(begun.values(**values).returning(vmoves.c.position, vmoves.c.uuid))
    return [uuid for _, uuid in sorted((position, uuid) for position, uuid in result)]


def due_now(connection: Connection, uuids: Sequence[str], step: VMoveStep, now: datetime) -> None:
    """Let somebody look at watched evacuations; ``step`` is SETTLE for those that Nova is done with."""
    if uuids:
        connection.execute(
            update(vmoves)
            .where(vmoves.c.uuid.in_(uuids), vmoves.c.step == VMoveStep.WATCHED)
            .values(step=step, due_at=now, updated_at=now)
        )


def claim(connection: Connection, uuid: str, owner: str, now: datetime, seconds: float) -> VMove | None:
    """Take an ongoing vmove of a running notification; None when somebody else has it, or it is done."""
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
        .where(vmoves.c.uuid == uuid, vmoves.c.status == VMoveStatus.ONGOING, work.is_free(vmoves, now), running)
        .values(**work.hold(owner, now, seconds))
        .returning(vmoves)
    )
    row = connection.execute(statement).mappings().first()
    return rows.vmove(row) if row else None


def close_open(
    connection: Connection, notification_uuid: str, status: VMoveStatus, message: str, now: datetime
) -> Sequence[str]:
    """End what is still open of a notification that has ended itself; returns the uuids."""
    open_ones = [str(status) for status in OPEN_VMOVE]
    values: dict[str, Any] = {"status": status, "message": message, "end_time": now, "updated_at": now}
    statement = (
        update(vmoves)
        .where(vmoves.c.notification_uuid == notification_uuid, vmoves.c.status.in_(open_ones))
        .values(**values, due_at=None, lease_until=None, lease_owner=None)
        .returning(vmoves.c.uuid)
    )
    return connection.execute(statement).scalars().all()


def lease(move: VMove, seconds: float) -> work.Lease:
    """Name the lease of a claimed vmove."""
    assert move.lease_owner is not None
    return work.Lease(vmoves, vmoves.c.uuid, move.uuid, move.lease_owner, seconds)
