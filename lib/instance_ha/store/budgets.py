"""Evacuations in flight in a segment, counted by their rows, and how much Nova can bear.

Who begins some has locked the row of the segment (``batches.settle``): no two count the same slots.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Boolean, Connection, Integer, String, and_, bindparam, case, exists, func, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from instance_ha.decide.witnesses import failed_at
from instance_ha.models.budget import InFlight, Queue, Throttle
from instance_ha.models.enums import OPEN_VMOVE, NotificationStatus, NotificationType, VMoveStatus, VMoveStep
from instance_ha.models.evidence import Verdict
from instance_ha.models.rows import Host, Notification
from instance_ha.models.uuids import SegmentUuid
from instance_ha.store import records
from instance_ha.store.schema import evidence, notifications, throttle, vmoves

_WANTED_LATELY = timedelta(seconds=15)  # a dispatcher that could begin some says so every few seconds
_NOVA = "nova"
_HOLDS_SLOT = and_(vmoves.c.status == VMoveStatus.ONGOING, vmoves.c.step != VMoveStep.SETTLE)
_OF_RECOVERY = vmoves.c.notification_uuid == notifications.c.notification_uuid
_RUNNING = and_(
    notifications.c.failover_segment_uuid == bindparam("segment"),
    notifications.c.status == NotificationStatus.RUNNING,
    notifications.c.type == NotificationType.COMPUTE_HOST,
)
_COUNT = select(func.count())
_THROTTLE = select(throttle.c.share, throttle.c.changed_at).where(throttle.c.name == _NOVA)
_PRIORITY = func.coalesce(vmoves.c.facts["priority"].astext.cast(Integer), 0)
_SHALL_RUN = vmoves.c.facts["vm_state"].astext != "stopped"
_NO_ANSWER = and_(vmoves.c.status == VMoveStatus.SUCCEEDED, vmoves.c.agent_at.is_(None), _SHALL_RUN)
_UNREADY = (
    select(func.max(_PRIORITY))
    .select_from(vmoves.join(notifications, _OF_RECOVERY))
    .where(
        _RUNNING,
        or_(vmoves.c.status.in_(OPEN_VMOVE), _NO_ANSWER),
        func.coalesce(vmoves.c.start_time, vmoves.c.created_at) > bindparam("since"),
    )
)
_NEXT = (
    select(
        vmoves.c.position,
        _PRIORITY.label("priority"),
        func.coalesce(vmoves.c.facts["ha_enabled"].astext.cast(Boolean), False).label("ha_enabled"),
    )
    .where(
        _OF_RECOVERY,
        vmoves.c.status == VMoveStatus.PENDING,
        or_(
            notifications.c.notification_uuid == bindparam("own"),
            func.coalesce(notifications.c.slots_at, vmoves.c.created_at) > bindparam("since"),
        ),
    )
    .order_by(vmoves.c.position)
    .limit(bindparam("most_of_each"))
    .lateral()
)
_QUEUES = (
    select(
        notifications.c.id,
        notifications.c.notification_uuid,
        _COUNT.where(_HOLDS_SLOT, _OF_RECOVERY).correlate(notifications).scalar_subquery().label("in_use"),
        _NEXT,
    )
    .join(_NEXT, true())
    .where(_RUNNING)
    .subquery()
)
_OF_QUEUE = _QUEUES.c.notification_uuid, _QUEUES.c.in_use, _QUEUES.c.priority, _QUEUES.c.ha_enabled
_QUEUED = func.jsonb_agg(aggregate_order_by(func.jsonb_build_array(*_OF_QUEUE), _QUEUES.c.id, _QUEUES.c.position))
_RECOVERIES = _COUNT.where(_RUNNING).scalar_subquery()
_IN_FLIGHT = select(
    _COUNT.where(_HOLDS_SLOT, vmoves.c.notification_uuid == bindparam("own"))
    .scalar_subquery()
    .label("of_notification"),
    _COUNT.select_from(vmoves.join(notifications, _OF_RECOVERY))
    .where(_HOLDS_SLOT, _RUNNING)
    .scalar_subquery()
    .label("of_segment"),
    _COUNT.where(_HOLDS_SLOT, vmoves.c.target_host == bindparam("target_host", type_=String))
    .scalar_subquery()
    .label("to_target"),
    _RECOVERIES.label("recoveries"),
    _COUNT.where(vmoves.c.status == VMoveStatus.FAILED, vmoves.c.notification_uuid == bindparam("own"))
    .scalar_subquery()
    .label("failed"),
    exists()
    .where(
        evidence.c.host_uuid == bindparam("host"),
        evidence.c.verdict == Verdict.ALIVE,
        evidence.c.valid_until > bindparam("now"),
        evidence.c.seen_at >= bindparam("failed_at"),
    )
    .label("may_live"),
    _THROTTLE.with_only_columns(throttle.c.share).scalar_subquery().label("share"),
    _THROTTLE.with_only_columns(throttle.c.changed_at).scalar_subquery().label("changed_at"),
    case((or_(_RECOVERIES > 1, bindparam("levels")), select(_QUEUED).scalar_subquery())).label("queued"),
)


def in_flight(
    connection: Connection,
    host: Host,
    notification: Notification,
    target_host: str | None,
    now: datetime,
    most_of_each: int,
    *,
    levels: bool = False,
) -> InFlight:
    """Count what is in flight beside the recovery of a host, and read what else matters: one statement for all.

    What recoveries of the segment would begin next is read where there are others, or for the sake of ``levels``.
    """
    about = {
        "segment": host.failover_segment_id,
        "own": notification.notification_uuid,
        "target_host": target_host,
        "host": host.uuid,
        "failed_at": failed_at(notification),
        "now": now,
        "since": now - _WANTED_LATELY,
        "most_of_each": most_of_each,
        "levels": levels,
    }
    found = dict(connection.execute(_IN_FLIGHT, about).mappings().one())
    share, changed_at = found.pop("share"), found.pop("changed_at")
    queues = _queues(found.pop("queued") or [])
    own = queues.pop(notification.notification_uuid, Queue(0, ()))
    throttle = None if changed_at is None else Throttle(share, changed_at)
    return InFlight(**found, throttle=throttle, own=own, others=tuple(queues.values()))


def _queues(queued: Iterable[tuple[str, int, int, bool]]) -> dict[str, Queue]:
    found: dict[str, Queue] = {}
    for uuid, in_use, priority, wanted in queued:
        before = found.get(uuid, Queue(0, ()))
        found[uuid] = Queue(in_use, (*before.ranks, (priority, wanted)))
    return found


def unready(connection: Connection, segment: SegmentUuid, since: datetime) -> int | None:
    """Return the highest HA_Priority of which an instance is not ready; None when all that were begun since then are.

    Ready is one whose guest agent answers on its new host, one that shall not run, and one that cannot be evacuated.
    """
    highest: int | None = connection.execute(_UNREADY, {"segment": segment, "since": since}).scalar_one()
    return highest


def read_throttle(connection: Connection, *, lock: bool = False) -> Throttle | None:
    """Read since when, and how far, evacuations are throttled; None: they never were."""
    return records.first(connection, _THROTTLE.with_for_update() if lock else _THROTTLE, Throttle)


def write_throttle(connection: Connection, changed: Throttle) -> None:
    """Write it down."""
    new = insert(throttle).values(name=_NOVA, share=changed.share, changed_at=changed.changed_at)
    as_new = {"share": new.excluded.share, "changed_at": new.excluded.changed_at}
    connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=as_new))
