"""The recoveries of one host: those that run, that are open, that wait, and the last one."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, and_, bindparam, case, func, literal_column, select

from instance_ha.models.enums import OPEN_NOTIFICATION, NotificationStatus, NotificationType
from instance_ha.models.rows import Notification
from instance_ha.models.uuids import HostUuid
from instance_ha.store import records
from instance_ha.store.schema import hosts, notifications

# A report of a host's failure that asks for a recovery, as decide.failures has it. One that it has started does not.
IS_DEATH = and_(
    notifications.c.type == literal_column("'COMPUTE_HOST'"),
    notifications.c.deleted_at.is_(None),
    notifications.c.payload["event"].astext == "STOPPED",
    func.upper(notifications.c.payload["host_status"].astext) == "NORMAL",
)
_IS_OPEN = notifications.c.status.in_(OPEN_NOTIFICATION)
# The one that has begun counts for more than those that wait for it, and one that is held for more than a new one.
_CURRENT_FIRST = (
    case((notifications.c.attempt > 0, 0), (notifications.c.held_since.is_not(None), 1), else_=2),
    notifications.c.created_at,
    notifications.c.id,
)
_IS_OF_HOST = notifications.c.source_host_uuid == bindparam("host")
_OPEN = select(notifications).where(_IS_OF_HOST, IS_DEATH, _IS_OPEN).order_by(*_CURRENT_FIRST).limit(1)
_IS_OF_HOST_ITSELF = _IS_OF_HOST, notifications.c.type == NotificationType.COMPUTE_HOST
_RUNNING = select(notifications.c.id).where(*_IS_OF_HOST_ITSELF, notifications.c.status == NotificationStatus.RUNNING)
_WAITING = (
    select(notifications)
    .where(_IS_OF_HOST, notifications.c.status == NotificationStatus.NEW, notifications.c.deleted_at.is_(None))
    .order_by(notifications.c.id)
    .limit(100)
)
_LAST = (
    select(notifications)
    .where(*_IS_OF_HOST_ITSELF, notifications.c.attempt > 0, notifications.c.deleted_at.is_(None))
    .order_by(notifications.c.id.desc())
    .limit(1)
)

_PROVEN_DEAD = (
    select(hosts.c.name, func.max(notifications.c.proven_at).label("proven_at"))
    .join(notifications, notifications.c.source_host_uuid == hosts.c.uuid)
    .where(
        hosts.c.name.in_(bindparam("names", expanding=True)),
        hosts.c.on_maintenance | hosts.c.deleted_at.is_not(None),
        notifications.c.type == NotificationType.COMPUTE_HOST,
        notifications.c.proven_at.is_not(None),
    )
    .group_by(hosts.c.name)
)


def is_running(connection: Connection, host_uuid: HostUuid) -> bool:
    """Say whether a recovery of the host itself is running."""
    return connection.execute(_RUNNING, {"host": host_uuid}).first() is not None


def waiting(connection: Connection, host_uuid: HostUuid) -> list[Notification]:
    """Read the notifications about a host whose recovery has not begun, the oldest first."""
    return records.every(connection, _WAITING, Notification, {"host": host_uuid})


def current(connection: Connection, host_uuid: HostUuid) -> Notification | None:
    """Read the report of a host's death that is being handled, or is first in turn; None: none is open."""
    return records.first(connection, _OPEN, Notification, {"host": host_uuid})


def current_uuid() -> ScalarSelect[str]:
    """Return a subquery for its uuid, for each host of another statement."""
    of_host = notifications.c.source_host_uuid == hosts.c.uuid
    query = select(notifications.c.notification_uuid).where(of_host, IS_DEATH, _IS_OPEN)
    return query.order_by(*_CURRENT_FIRST).limit(1).scalar_subquery()


def last(connection: Connection, host_uuid: HostUuid) -> Notification | None:
    """Read the notification of a host's own failure whose recovery was the last to begin."""
    return records.first(connection, _LAST, Notification, {"host": host_uuid})


def proven_dead(connection: Connection, names: Iterable[str]) -> dict[str, datetime]:
    """Say when those of the hosts that are dead were proven to be so last, by name; one that was given back is not."""
    found = connection.execute(_PROVEN_DEAD, {"names": list(names)})
    return {row.name: row.proven_at for row in found}
