"""Takes recoveries that have ended into the counters, each once.

A row is counted when the metrics are read, and is marked in the same transaction: a counter neither falls
when the row is purged, nor misses a recovery whose invocation was killed. Nothing about a row changes once it is final.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from instance_ha.models.enums import (
    FINAL_NOTIFICATION,
    OPEN_VMOVE,
    NotificationStatus,
    NotificationType,
    VMoveStatus,
    VMoveType,
)
from instance_ha.models.metric import Values
from instance_ha.models.metrics import (
    EVACUATIONS,
    FIRST_EVACUATION_DELAY,
    LAST_ACTIVE_DELAY,
    NOTIFICATION_DELAY,
    RECOVERIES,
)
from instance_ha.store import counters
from instance_ha.store.schema import notifications, vmoves


@dataclass
class _Moves:
    """The evacuations of one recovery."""

    results: dict[str, int]
    begun: datetime | None = None
    active: datetime | None = None


def count(connection: Connection, now: datetime, limit: int) -> int:
    """Count the next ended recoveries; returns how many. Rows that another invocation counts are left to it."""
    query = (
        select(notifications)
        .where(~notifications.c.counted, notifications.c.status.in_(FINAL_NOTIFICATION))
        .order_by(notifications.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ended = connection.execute(query).all()
    if not ended:
        return 0
    moves = _moves(connection, [row.notification_uuid for row in ended])
    values: Values = {}
    for row in ended:
        for sample, value in _increments(row, moves.get(row.notification_uuid, _Moves({}))):
            values[sample] = values.get(sample, 0.0) + value
    counters.add(connection, values, now)
    counted = update(notifications).where(notifications.c.id.in_([row.id for row in ended]))
    connection.execute(counted.values(counted=True))
    return len(ended)


def _moves(connection: Connection, uuids: Sequence[str]) -> Mapping[str, _Moves]:
    """Read what became of the evacuations of recoveries."""
    closed = vmoves.c.status.not_in(OPEN_VMOVE)
    query = (
        select(
            vmoves.c.notification_uuid,
            vmoves.c.status,
            func.count().label("number"),
            func.min(vmoves.c.start_time).label("begun"),
            func.max(vmoves.c.end_time).label("ended"),
        )
        .where(vmoves.c.notification_uuid.in_(uuids), closed, vmoves.c.type == VMoveType.EVACUATION)
        .group_by(vmoves.c.notification_uuid, vmoves.c.status)
    )
    found: dict[str, _Moves] = {}
    for row in connection.execute(query):
        moves = found.setdefault(row.notification_uuid, _Moves({}))
        moves.results[row.status] = row.number
        moves.begun = min((time for time in (moves.begun, row.begun) if time), default=None)
        moves.active = row.ended if row.status == VMoveStatus.SUCCEEDED else moves.active
    return found


def _increments(row: Row[Any], moves: _Moves) -> list[tuple[tuple[str, str], float]]:
    """Return what one ended recovery adds to the counters."""
    values = [(RECOVERIES.series(type=row.type, status=row.status), 1.0)]
    values += [(EVACUATIONS.series(status=status), float(number)) for status, number in moves.results.items()]
    values += NOTIFICATION_DELAY.observed(_since(row, row.created_at), type=row.type).items()
    if moves.begun:
        values += FIRST_EVACUATION_DELAY.observed(_since(row, moves.begun)).items()
    if row.status == NotificationStatus.FINISHED:
        active = row.updated_at if row.type == NotificationType.VM else moves.active
        if active:
            values += LAST_ACTIVE_DELAY.observed(_since(row, active), type=row.type).items()
    return values


def _since(row: Row[Any], time: datetime) -> float:
    seconds: float = (time - row.generated_time).total_seconds()
    return seconds
