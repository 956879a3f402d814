"""Tasks of a recovery flow: where it stands, and its progress for people."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    Update,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.decide.power import StopRecorded
from instance_ha.models.enums import Flow, TaskState
from instance_ha.models.rows import TaskRow
from instance_ha.models.uuids import NotificationUuid, SegmentUuid
from instance_ha.store import records
from instance_ha.store.notifications import is_about
from instance_ha.store.schema import notifications, tasks
from instance_ha.store.segments import IS_ENABLED

Memory = TypeVar("Memory")
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)  # one of each kind: they are dear to make
_HAS_STOPPED = tasks.c.data.has_key(StopRecorded.__name__)
_OF_ATTEMPT = tasks.c.notification_uuid == bindparam("of"), tasks.c.attempt == bindparam("in_attempt")
_NEXT_OPEN = (
    select(tasks)
    .where(
        *_OF_ATTEMPT,
        tasks.c.state.in_([TaskState.PENDING, TaskState.RUNNING]),
    )
    .order_by(tasks.c.position)
    .limit(1)
)
_NEXT_TO_RUN = _NEXT_OPEN.add_columns(IS_ENABLED.scalar_subquery().label("enabled"))
_PLANNED = tasks.alias()
_PLAN = insert(tasks).values(  # row by row: each comes after those that are there
    position=select(func.count())
    .where(_PLANNED.c.notification_uuid == bindparam("of"), _PLANNED.c.attempt == bindparam("in_attempt"))
    .scalar_subquery()
)
_IS_ONE = tasks.c.id == bindparam("task")
_ADD_PROGRESS = (
    update(tasks)
    .where(_IS_ONE)
    .values(
        progress=bindparam("how_far"),
        details=tasks.c.details.op("||")(bindparam("lines", type_=JSONB)),
        state=bindparam("new_state"),
    )
)
_REMEMBER = update(tasks).where(_IS_ONE).values(data=tasks.c.data.op("||")(bindparam("kept", type_=JSONB)))
_KIND = bindparam("kind", type_=Text)
_KEPT = tasks.c.data[_KIND]
_RECALL = select(_KEPT).where(_IS_ONE)
_RECALL_ALL = (
    select(_KEPT).where(tasks.c.notification_uuid == bindparam("of"), tasks.c.data.has_key(_KIND)).order_by(tasks.c.id)
)
_RECALL_LATEST = _RECALL_ALL.order_by(None).order_by(tasks.c.id.desc()).limit(1)
_RECALL_LATEST_NAMED = _RECALL_LATEST.where(tasks.c.name == bindparam("named"))
_ALL_STOPPED = (
    select(notifications.c.instance_uuid)
    .distinct()
    .where(
        is_about(bindparam("instances", expanding=True)),
        notifications.c.notification_uuid == tasks.c.notification_uuid,
        _HAS_STOPPED,
    )
)


def plan(
    connection: Connection,
    notification_uuid: NotificationUuid,
    attempt: int,
    flow: Flow,
    names: Sequence[str],
    memory: object = None,
) -> None:
    """Write the tasks of a flow, in order, after those that the attempt has already; the first may have a memory."""
    about = {"notification_uuid": notification_uuid, "attempt": attempt, "flow": flow, "state": TaskState.PENDING}
    about |= {"of": notification_uuid, "in_attempt": attempt}
    kept = [{} if memory is None else _kept(memory), *({} for _ in names[1:])]
    connection.execute(_PLAN, [about | {"name": name, "data": data} for name, data in zip(names, kept, strict=True)])


def insert_before(connection: Connection, task: TaskRow, name: str) -> None:
    """Put a task right before another one of the same flow."""
    of_attempt = _of_attempt(task.notification_uuid, task.attempt)
    later = update(tasks).where(*of_attempt, tasks.c.position >= task.position)
    connection.execute(later.values(position=-tasks.c.position - 1))  # not even for a moment may two have one place
    connection.execute(update(tasks).where(*of_attempt, tasks.c.position < 0).values(position=-tasks.c.position))
    about = {"notification_uuid": task.notification_uuid, "attempt": task.attempt, "position": task.position}
    connection.execute(insert(tasks).values(**about, flow=task.flow, name=name, state=TaskState.PENDING))


def _of_attempt(notification_uuid: NotificationUuid, attempt: int) -> tuple[ColumnElement[bool], ...]:
    return tasks.c.notification_uuid == notification_uuid, tasks.c.attempt == attempt


def of_notification(connection: Connection, notification_uuid: NotificationUuid) -> list[TaskRow]:
    """Read all tasks of a notification, attempt by attempt."""
    query = select(tasks).where(tasks.c.notification_uuid == notification_uuid)
    return records.every(connection, query.order_by(tasks.c.attempt, tasks.c.position), TaskRow)


def next_open(connection: Connection, notification_uuid: NotificationUuid, attempt: int) -> TaskRow | None:
    """Read the first task of an attempt that has not come to its end."""
    values = {"of": notification_uuid, "in_attempt": attempt}
    return records.first(connection, _NEXT_OPEN, TaskRow, values)


def next_to_run(
    connection: Connection, notification_uuid: NotificationUuid, attempt: int, segment: SegmentUuid
) -> tuple[TaskRow | None, bool]:
    """Read the first task of an attempt that has not come to its end; with it, whether its segment is enabled now."""
    values = {"of": notification_uuid, "in_attempt": attempt, "wanted": segment}
    row = connection.execute(_NEXT_TO_RUN, values).first()
    if row is None:
        return None, False
    columns = row._asdict()
    enabled = bool(columns.pop("enabled"))
    return TaskRow(**columns), enabled


def add_progress(
    connection: Connection,
    task: TaskRow,
    now: datetime,
    lines: Sequence[tuple[float, str]],
    state: TaskState | None = None,
) -> None:
    """Add lines of progress at once (how far, message), and say the task's state."""
    details = [{"timestamp": _time(now), "progress": str(progress), "message": message} for progress, message in lines]
    added = {"lines": details, "how_far": lines[-1][0], "new_state": state or TaskState.RUNNING}
    connection.execute(_ADD_PROGRESS, {"task": task.id, **added})


def with_progress(
    task: TaskRow, now: datetime, how_far: float, message: ColumnElement[str], state: TaskState
) -> Update:
    """Add a line of progress, by what a statement itself knows, which has this as a part."""
    line = {"timestamp": _time(now), "progress": str(how_far), "message": message}
    said = func.jsonb_build_array(func.jsonb_build_object(*chain.from_iterable(line.items())))
    details = tasks.c.details.op("||")(type_coerce(said, JSONB))
    return update(tasks).where(tasks.c.id == task.id).values(progress=how_far, details=details, state=state)


def _time(now: datetime) -> str:
    return now.strftime("%Y-%m-%d %H:%M:%S.%f")


def fail(connection: Connection, task: TaskRow, now: datetime, reason: str) -> None:
    """End a task without success; the rest of its flow will not run."""
    add_progress(connection, task, now, [(1.0, f"Failed: {reason}")], TaskState.FAILURE)
    rest = tasks.c.position > task.position
    connection.execute(delete(tasks).where(*_of_attempt(task.notification_uuid, task.attempt), rest))


def abandon(connection: Connection, notification_uuid: NotificationUuid, now: datetime, reason: str) -> None:
    """End the task that runs, with its recovery."""
    query = select(tasks).where(tasks.c.notification_uuid == notification_uuid, tasks.c.state == TaskState.RUNNING)
    for task in records.every(connection, query, TaskRow):
        add_progress(connection, task, now, [(1.0, f"Stopped: {reason}")], TaskState.FAILURE)


def remembered(task: TaskRow, kind: type[Memory]) -> Memory | None:
    """Return what a task remembered of a kind when its row was read; None when it had not remembered any."""
    kept = task.data.get(kind.__name__)
    return None if kept is None else _adapter(kind).validate_python(kept)


def recall(connection: Connection, task: TaskRow, kind: type[Memory]) -> Memory | None:
    """Read what the task remembers of a kind, a frozen dataclass; None when it has not remembered any."""
    kept = connection.execute(_RECALL, {"task": task.id, "kind": kind.__name__}).scalar_one()
    return None if kept is None else _adapter(kind).validate_python(kept)


def recall_latest(
    connection: Connection, notification_uuid: NotificationUuid, kind: type[Memory], name: str | None = None
) -> Memory | None:
    """Read what the latest task of a recovery that remembers anything of a kind remembers; None when none does.

    With a ``name`` only tasks of this name are asked, in whichever flow or attempt.
    """
    about = {"of": notification_uuid, "kind": kind.__name__, "named": name}
    query = _RECALL_LATEST if name is None else _RECALL_LATEST_NAMED
    found = connection.execute(query, about).scalar_one_or_none()
    return None if found is None else _adapter(kind).validate_python(found)


def recall_all(connection: Connection, notification_uuid: NotificationUuid, kind: type[Memory]) -> list[Memory]:
    """Read what the tasks of a recovery remember of a kind, the oldest first."""
    found = connection.execute(_RECALL_ALL, {"of": notification_uuid, "kind": kind.__name__}).scalars()
    return [_adapter(kind).validate_python(kept) for kept in found]


def has_stopped(connection: Connection, notification_uuid: NotificationUuid) -> bool:
    """Say whether a recovery has stopped an instance, so as to start it again."""
    query = select(tasks.c.id).where(tasks.c.notification_uuid == notification_uuid, _HAS_STOPPED)
    return connection.execute(query.limit(1)).first() is not None


def instances_stopped(connection: Connection, instances: Iterable[str]) -> set[str]:
    """Name those of the instances that recoveries have stopped, at whatever time, so as to start them again."""
    return set(connection.execute(_ALL_STOPPED, {"instances": list(instances)}).scalars())


def remember(connection: Connection, task: TaskRow, memory: object) -> None:
    """Keep a frozen dataclass for the task's next invocation, in place of what it remembers of the same kind."""
    connection.execute(_REMEMBER, {"task": task.id, "kept": _kept(memory)})


def _kept(memory: object) -> dict[str, Any]:
    kind = type(memory)
    return {kind.__name__: _adapter(kind).dump_python(memory, mode="json")}


def forget(connection: Connection, task: TaskRow, kind: type[Any]) -> None:
    """Drop what a task remembers of a kind."""
    kept = tasks.c.data.op("-")(cast(kind.__name__, Text))
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(data=kept))
