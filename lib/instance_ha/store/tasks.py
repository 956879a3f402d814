"""Tasks of a recovery flow: where it stands, and its progress for people."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
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
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import records
from instance_ha.store.notifications import is_about
from instance_ha.store.schema import notifications, tasks

Memory = TypeVar("Memory")
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)  # one of each kind: they are dear to make
_HAS_STOPPED = tasks.c.data.has_key(StopRecorded.__name__)


_NEXT_OPEN = (
    select(tasks)
    .where(
        tasks.c.notification_uuid == bindparam("of"),
        tasks.c.attempt == bindparam("in_attempt"),
        tasks.c.state.in_([TaskState.PENDING, TaskState.RUNNING]),
    )
    .order_by(tasks.c.position)
    .limit(1)
)


def plan(
    connection: Connection, notification_uuid: NotificationUuid, attempt: int, flow: Flow, names: Sequence[str]
) -> None:
    """Write the tasks of a flow, in order, after those that the attempt has already."""
    of_attempt = _of_attempt(notification_uuid, attempt)
    before = connection.execute(select(func.count()).select_from(tasks).where(*of_attempt)).scalar_one()
    values = [
        {
            "notification_uuid": notification_uuid,
            "attempt": attempt,
            "position": before + number,
            "flow": flow,
            "name": name,
            "state": TaskState.PENDING,
        }
        for number, name in enumerate(names)
    ]
    connection.execute(insert(tasks), values)


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


def add_progress(
    connection: Connection,
    task: TaskRow,
    now: datetime,
    lines: Sequence[tuple[float, str]],
    state: TaskState | None = None,
) -> None:
    """Add lines of progress at once (how far, message), and say the task's state."""
    time = now.strftime("%Y-%m-%d %H:%M:%S.%f")
    details = [{"timestamp": time, "progress": str(progress), "message": message} for progress, message in lines]
    values: dict[str, Any] = {
        "progress": lines[-1][0],
        "details": tasks.c.details.op("||")(type_coerce(details, JSONB)),
        "state": state or TaskState.RUNNING,
    }
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(**values))


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


def recall(connection: Connection, task: TaskRow, kind: type[Memory]) -> Memory | None:
    """Read what the task remembers of a kind, a frozen dataclass; None when it has not remembered any."""
    kept = connection.execute(select(tasks.c.data[kind.__name__]).where(tasks.c.id == task.id)).scalar_one()
    return None if kept is None else _adapter(kind).validate_python(kept)


def recall_latest(
    connection: Connection, notification_uuid: NotificationUuid, kind: type[Memory], name: str | None = None
) -> Memory | None:
    """Read what the latest task of a recovery that remembers anything of a kind remembers; None when none does.

    With a ``name`` only tasks of this name are asked, in whichever flow or attempt.
    """
    kept = tasks.c.data[kind.__name__]
    query = select(kept).where(tasks.c.notification_uuid == notification_uuid, tasks.c.data.has_key(kind.__name__))
    query = query if name is None else query.where(tasks.c.name == name)
    found = connection.execute(query.order_by(tasks.c.id.desc()).limit(1)).scalar_one_or_none()
    return None if found is None else _adapter(kind).validate_python(found)


def recall_all(connection: Connection, notification_uuid: NotificationUuid, kind: type[Memory]) -> list[Memory]:
    """Read what the tasks of a recovery remember of a kind, the oldest first."""
    query = select(tasks.c.data[kind.__name__]).where(
        tasks.c.notification_uuid == notification_uuid, tasks.c.data.has_key(kind.__name__)
    )
    found = connection.execute(query.order_by(tasks.c.id)).scalars()
    return [_adapter(kind).validate_python(kept) for kept in found]


def has_stopped(connection: Connection, notification_uuid: NotificationUuid) -> bool:
    """Say whether a recovery has stopped an instance, so as to start it again."""
    query = select(tasks.c.id).where(tasks.c.notification_uuid == notification_uuid, _HAS_STOPPED)
    return connection.execute(query.limit(1)).first() is not None


def instances_stopped(connection: Connection, instances: Iterable[str]) -> set[str]:
    """Name those of the instances that recoveries have stopped, at whatever time, so as to start them again."""
    joined = notifications.c.notification_uuid == tasks.c.notification_uuid
    query = select(notifications.c.instance_uuid).distinct().where(is_about(instances), joined, _HAS_STOPPED)
    return set(connection.execute(query).scalars())


def remember(connection: Connection, task: TaskRow, memory: object) -> None:
    """Keep a frozen dataclass for the task's next invocation, in place of what it remembers of the same kind."""
    kind = type(memory)
    kept = type_coerce({kind.__name__: _adapter(kind).dump_python(memory, mode="json")}, JSONB)
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(data=tasks.c.data.op("||")(kept)))


def forget(connection: Connection, task: TaskRow, kind: type[Any]) -> None:
    """Drop what a task remembers of a kind."""
    kept = tasks.c.data.op("-")(cast(kind.__name__, Text))
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(data=kept))
