"""Evacuations in flight in a segment, counted by their rows, and how much Nova can bear.

Who begins some has locked the row of the segment (segments.is_enabled with ``lock``): no two count the same slots.
"""

from datetime import datetime, timedelta

from sqlalchemy import Boolean, ColumnElement, Connection, Integer, and_, func, literal, select, true
from sqlalchemy.dialects.postgresql import insert

from instance_ha.models.budget import InFlight, Queue, Throttle
from instance_ha.models.enums import NotificationStatus, NotificationType, VMoveStatus, VMoveStep
from instance_ha.models.uuids import NotificationUuid, SegmentUuid
from instance_ha.store import records
from instance_ha.store.schema import notifications, throttle, vmoves

_WANTED_LATELY = timedelta(seconds=15)  # a dispatcher that could begin some says so every few seconds
_NOVA = "nova"
_HOLDS_SLOT = and_(vmoves.c.status == VMoveStatus.ONGOING, vmoves.c.step != VMoveStep.SETTLE)


def in_flight(
    connection: Connection, segment: SegmentUuid, notification: NotificationUuid, target_host: str | None
) -> InFlight:
    """Count what is in flight."""
    running = _running(segment)
    its = vmoves.c.notification_uuid == notifications.c.notification_uuid
    of_segment = select(func.count()).select_from(vmoves.join(notifications, its)).where(_HOLDS_SLOT, running)
    own = select(func.count()).where(_HOLDS_SLOT, vmoves.c.notification_uuid == notification)
    to_target = select(func.count()).where(_HOLDS_SLOT, vmoves.c.target_host == target_host)
    query = select(
        own.scalar_subquery().label("of_notification"),
        of_segment.scalar_subquery().label("of_segment"),
        (literal(0) if target_host is None else to_target.scalar_subquery()).label("to_target"),
        select(func.count()).where(running).scalar_subquery().label("recoveries"),
    )
    return records.one(connection, query, InFlight)


def queues(
    connection: Connection, segment: SegmentUuid, notification: NotificationUuid, most_of_each: int, now: datetime
) -> tuple[Queue, list[Queue]]:
    """Read what a recovery would begin next, and what others of its segment would that have a dispatcher at work."""
    is_own = notifications.c.notification_uuid == notification
    wanted_at = func.coalesce(notifications.c.slots_at, vmoves.c.created_at)
    first = (
        select(
            vmoves.c.position,
            func.coalesce(vmoves.c.facts["priority"].astext.cast(Integer), 0).label("priority"),
            func.coalesce(vmoves.c.facts["ha_enabled"].astext.cast(Boolean), False).label("ha_enabled"),
        )
        .where(
            vmoves.c.notification_uuid == notifications.c.notification_uuid,
            vmoves.c.status == VMoveStatus.PENDING,
            is_own | (wanted_at > now - _WANTED_LATELY),
        )
        .order_by(vmoves.c.position)
        .limit(most_of_each)
        .lateral()
    )
    busy = select(func.count()).where(_HOLDS_SLOT, vmoves.c.notification_uuid == notifications.c.notification_uuid)
    query = (
        select(notifications.c.notification_uuid, busy.scalar_subquery(), first.c.priority, first.c.ha_enabled)
        .join(first, true())
        .where(_running(segment))
        .order_by(notifications.c.id, first.c.position)
    )
    found: dict[str, Queue] = {notification: Queue(0, ())}
    for uuid, in_use, priority, wanted in connection.execute(query):
        before = found.get(uuid, Queue(0, ()))
        found[uuid] = Queue(in_use, (*before.ranks, (priority, wanted)))
    return found.pop(notification), [*found.values()]


def _running(segment: SegmentUuid) -> ColumnElement[bool]:
    return and_(
        notifications.c.failover_segment_uuid == segment,
        notifications.c.status == NotificationStatus.RUNNING,
        notifications.c.type == NotificationType.COMPUTE_HOST,
    )


def read_throttle(connection: Connection, *, lock: bool = False) -> Throttle | None:
    """Read since when, and how far, evacuations are throttled; None: they never were."""
    query = select(throttle.c.share, throttle.c.changed_at).where(throttle.c.name == _NOVA)
    return records.first(connection, query.with_for_update() if lock else query, Throttle)


def write_throttle(connection: Connection, changed: Throttle) -> None:
    """Write it down."""
    new = insert(throttle).values(name=_NOVA, share=changed.share, changed_at=changed.changed_at)
    as_new = {"share": new.excluded.share, "changed_at": new.excluded.changed_at}
    connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=as_new))
