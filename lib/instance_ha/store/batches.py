"""A batch of a round: what Nova is done with is handed over to be closed, and what comes next begins.

There are many of them where each evacuation ends by itself, so a batch is as few statements as it can be.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import (
    CTE,
    Boolean,
    Connection,
    Select,
    String,
    Update,
    and_,
    bindparam,
    case,
    column,
    func,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from instance_ha.models.enums import UNDER_WAY, TaskState, VMoveStatus, VMoveStep
from instance_ha.models.rows import TaskRow, VMove
from instance_ha.models.uuids import NotificationUuid, SegmentUuid, VMoveUuid
from instance_ha.store import records, segments
from instance_ha.store.schema import vmoves
from instance_ha.store.tasks import with_progress
from instance_ha.store.vmoves import read

# A handler may have ended one since the dispatcher has read it; what has ended must not be due again.
_WATCHED = vmoves.c.status == VMoveStatus.ONGOING, vmoves.c.step.in_(UNDER_WAY)
# The invocation that has asked for an evacuation has nothing more to do with it; one that checks it still works on it.
_SENT = vmoves.c.step == VMoveStep.ASKING
_FREE = {name: case((_SENT, None), else_=vmoves.c[name]) for name in ("lease_owner", "lease_until")}
_SETTLED = column("uuid", String), column("dest_host", String), column("may_be_ours", Boolean)
_DONE = bindparam("done", type_=JSONB)  # one document: rows of values would be compiled anew for each batch
_NEW = func.jsonb_to_recordset(_DONE).table_valued(*_SETTLED).render_derived(name="new", with_types=True)


@dataclass(frozen=True)
class Settled:
    """An evacuation that Nova is done with."""

    uuid: VMoveUuid
    dest_host: str | None  # where it went; None when it failed
    may_be_ours: bool  # the lock of the instance, if we have locked it: its owner has not since


def settle(
    connection: Connection,
    segment: SegmentUuid,
    notification_uuid: NotificationUuid,
    done: Sequence[Settled],
    locked: Sequence[str],
    now: datetime,
) -> bool:
    """Have the evacuations closed that Nova is done with, and lock the segment: nobody else counts its slots meanwhile.

    Instances that their owners have ``locked``, and that wait for their turn, shall stay locked: that is written down.
    Returns whether failures in the segment are recovered, which stays so meanwhile.
    """
    query = segments.is_enabled_now(segment)
    if done:
        query = query.add_cte(_settle(now).cte("settled"))
    if locked:
        query = query.add_cte(_note_locked(notification_uuid, locked).cte("noted"))
    return bool(connection.execute(query, {"done": [asdict(one) for one in done]}).scalar())


def _settle(now: datetime) -> Update:
    settled = {"step": VMoveStep.SETTLE, "dest_host": _NEW.c.dest_host, "due_at": now, "updated_at": now}
    settled["moved_at"] = case((_NEW.c.dest_host.is_not(None), now))
    settled["locked_by_us"] = and_(vmoves.c.locked_by_us, _NEW.c.may_be_ours)
    watched = update(vmoves).where(vmoves.c.uuid == _NEW.c.uuid, *_WATCHED)
    return watched.values(**settled, **_FREE)


def _note_locked(notification_uuid: NotificationUuid, instances: Sequence[str]) -> Update:
    waiting = update(vmoves).where(
        vmoves.c.notification_uuid == notification_uuid,
        vmoves.c.status == VMoveStatus.PENDING,
        vmoves.c.instance_uuid.in_(instances),
    )
    return waiting.values(facts=vmoves.c.facts.op("||")(type_coerce({"locked": True}, JSONB)))


def check_again(connection: Connection, uuids: Sequence[str], now: datetime) -> None:
    """Have watched evacuations checked one by one."""
    if uuids:
        watched = update(vmoves).where(vmoves.c.uuid.in_(uuids), *_WATCHED)
        connection.execute(watched.values(**_FREE, due_at=now, updated_at=now))


def start_next(
    connection: Connection,
    notification_uuid: NotificationUuid,
    slots: int,
    target_host: str | None,
    now: datetime,
    task: TaskRow,
) -> list[VMove]:
    """Begin the next pending vmoves, first ones first, and say so in the task's progress; returns them in order."""
    waiting = (
        select(vmoves.c.id)
        .where(vmoves.c.notification_uuid == notification_uuid, vmoves.c.status == VMoveStatus.PENDING)
        .order_by(vmoves.c.position)
        .limit(slots)
        .with_for_update()
    )
    new = {"status": VMoveStatus.ONGOING, "start_time": now, "updated_at": now, "due_at": now}
    begin = update(vmoves).where(records.chosen(vmoves.c.id, waiting)).values(**new, target_host=target_host)
    begun = begin.returning(vmoves).cte("begun")
    query = select(begun).order_by(begun.c.position)
    return read(connection, _said(query, begun, task, now))


def _said(query: Select[tuple[VMove]], begun: CTE, task: TaskRow, now: datetime) -> Select[tuple[VMove]]:
    names = func.string_agg(begun.c.instance_uuid, aggregate_order_by(literal(","), begun.c.position))
    message = literal("Evacuation started of ", String) + select(names).scalar_subquery()
    progress = with_progress(task, now, 0.5, message, TaskState.RUNNING)
    return query.add_cte(progress.where(select(begun.c.id).exists()).cte("progress"))
