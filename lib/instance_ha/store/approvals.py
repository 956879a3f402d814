"""What operators have said of recoveries that were held: rows that are added and read, and never changed."""

from typing import Any

from sqlalchemy import Connection, insert, select

from instance_ha.models.gates import Approval, Gate
from instance_ha.models.rows import Notification
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import records
from instance_ha.store.schema import approvals, notifications


def add(connection: Connection, approval: Approval) -> Approval:
    """Store what an operator has said of a recovery."""
    values = {name: value for name, value in vars(approval).items() if name != "id"}  # Postgres gives it
    return records.one(connection, insert(approvals).values(values).returning(approvals), _approval)


def of_notification(connection: Connection, uuid: NotificationUuid) -> list[Approval]:
    """Read what operators have said of a recovery, the first first."""
    query = select(approvals).where(approvals.c.notification_uuid == uuid).order_by(approvals.c.id)
    return records.every(connection, query, _approval)


def page(connection: Connection, uuid: str | None, before: int | None, limit: int) -> list[Approval]:
    """List what operators have said, of one recovery or of all, the newest first."""
    query = select(approvals).order_by(approvals.c.id.desc()).limit(limit)
    if uuid is not None:
        query = query.where(approvals.c.notification_uuid == uuid)
    if before is not None:
        query = query.where(approvals.c.id < before)
    return records.every(connection, query, _approval)


def lock(connection: Connection, uuid: NotificationUuid) -> Notification | None:
    """Read and lock a notification; None when there is none. Its recovery is not released meanwhile."""
    query = select(notifications).where(notifications.c.notification_uuid == uuid, notifications.c.deleted_at.is_(None))
    return records.first(connection, query.with_for_update(), Notification)


def _approval(**row: Any) -> Approval:
    return Approval(**row | {"gates": tuple(Gate(gate) for gate in row["gates"])})
