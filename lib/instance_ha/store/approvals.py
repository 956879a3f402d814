"""What operators have said of recoveries that were held: rows that are added and read, and never changed."""

from sqlalchemy import Connection, bindparam, insert, select

from instance_ha.models.gates import Approval
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import records
from instance_ha.store.schema import approvals

_OF_NOTIFICATION = select(approvals).where(approvals.c.notification_uuid == bindparam("of")).order_by(approvals.c.id)


def add(connection: Connection, approval: Approval) -> Approval:
    """Store what an operator has said of a recovery."""
    return records.one(connection, insert(approvals).values(records.values(approval)).returning(approvals), Approval)


def of_notification(connection: Connection, uuid: NotificationUuid) -> list[Approval]:
    """Read what operators have said of a recovery, the first first."""
    return records.every(connection, _OF_NOTIFICATION, Approval, {"of": uuid})


def page(connection: Connection, uuid: str | None, before: int | None, limit: int) -> list[Approval]:
    """List what operators have said, of one recovery or of all, the newest first."""
    query = select(approvals).order_by(approvals.c.id.desc()).limit(limit)
    if uuid is not None:
        query = query.where(approvals.c.notification_uuid == uuid)
    if before is not None:
        query = query.where(approvals.c.id < before)
    return records.every(connection, query, Approval)
