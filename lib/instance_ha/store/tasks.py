"""Tasks of a recovery flow: where it stands, and its progress for people (reference, section 5.7)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.models.enums import TaskState
from instance_ha.models.rows import TaskRow
from instance_ha.store import rows
from instance_ha.store.schema import tasks


def plan(connection: Connection, notification_uuid: str, attempt: int, names: Sequence[str]) -> None:
    """Write the tasks of an attempt, in order."""
    values = [
        {
            "notification_uuid": notification_uuid,
            "attempt": attempt,
            "position": position,
            "name": name,
            "state": TaskState.PENDING,
        }
        for position, name in enumerate(names)
    ]
    connection.execute(insert(tasks), values)


def of_notification(connection: Connection, notification_uuid: str) -> list[TaskRow]:
    """Read all tasks of a notification, attempt by attempt."""
    query = select(tasks).where(tasks.c.notification_uuid == notification_uuid)
    found = connection.execute(query.order_by(tasks.c.attempt, tasks.c.position)).mappings()
    return [rows.task(row) for row in found]


def next_open(connection: Connection, notification_uuid: str, attempt: int) -> TaskRow | None:
    """Read the first task of an attempt that has not worked yet."""
    query = (
        select(tasks)
        .where(
            tasks.c.notification_uuid == notification_uuid,
            tasks.c.attempt == attempt,
            tasks.c.state != TaskState.SUCCESS,
        )
        .order_by(tasks.c.position)
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return rows.task(row) if row else None


def report(
    connection: Connection,
    task: TaskRow,
    now: datetime,
    progress: float,
    message: str,
    state: TaskState | None = None,
) -> None:
    """Add a line of progress, and say the task's state."""
    line = {
        "timestamp": now.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "progress": str(progress),
        "message": message,
    }
    values: dict[str, Any] = {
        "progress": progress,
        "details": tasks.c.details.op("||")(type_coerce([line], JSONB)),
        "state": state or TaskState.RUNNING,
    }
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(**values))


def recall(connection: Connection, task: TaskRow) -> dict[str, Any]:
    """Read what the task has kept."""
    return dict(connection.execute(select(tasks.c.data).where(tasks.c.id == task.id)).scalar_one())


def remember(connection: Connection, task: TaskRow, data: dict[str, Any]) -> None:
    """Keep what the task must know in its next invocation."""
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(data=data))
