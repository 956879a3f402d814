"""What operators have said of recoveries that were held: rows that are added and read, and never changed."""

from sqlalchemy import Connection, String, and_, bindparam, insert, or_, select

from instance_ha.models.enums import NotificationType
from instance_ha.models.gates import Approval, ApprovalVerdict
from instance_ha.models.rows import Notification
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import records
from instance_ha.store.schema import approvals, notifications

_OF_NOTIFICATION = select(approvals).where(approvals.c.notification_uuid == bindparam("of")).order_by(approvals.c.id)

_DENIALS = (
    select(approvals)
    .join(notifications, notifications.c.notification_uuid == approvals.c.notification_uuid)
    .where(
        approvals.c.verdict == ApprovalVerdict.DENY,
        or_(
            approvals.c.notification_uuid == bindparam("of"),
            and_(
                notifications.c.source_host_uuid == bindparam("host"),
                notifications.c.type == NotificationType.COMPUTE_HOST,
                bindparam("type", type_=String) == NotificationType.COMPUTE_HOST,
                approvals.c.created_at >= bindparam("reported_at"),
            ),
        ),
    )
    .order_by(approvals.c.id)
)


def add(connection: Connection, approval: Approval) -> Approval:
    """Store what an operator has said of a recovery."""
    return records.one(connection, insert(approvals).values(records.values(approval)).returning(approvals), Approval)


def of_notification(connection: Connection, uuid: NotificationUuid) -> list[Approval]:
    """Read what operators have said of a recovery, the first first."""
    return records.every(connection, _OF_NOTIFICATION, Approval, {"of": uuid})


def denials(connection: Connection, row: Notification) -> list[Approval]:
    """Read by whom a recovery was denied; a denial is of all reports of the host's own failure that there were then."""
    about = {"of": row.notification_uuid, "host": row.source_host_uuid, "type": row.type, "reported_at": row.created_at}
    return records.every(connection, _DENIALS, Approval, about)


def page(connection: Connection, uuid: str | None, before: int | None, limit: int) -> list[Approval]:
    """List what operators have said, of one recovery or of all, the newest first."""
    query = select(approvals).order_by(approvals.c.id.desc()).limit(limit)
    if uuid is not None:
        query = query.where(approvals.c.notification_uuid == uuid)
    if before is not None:
        query = query.where(approvals.c.id < before)
    return records.every(connection, query, Approval)
