"""Pauses: rows that are added, and ended; the past ones tell who has paused what, and why."""

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, and_, bindparam, insert, or_, select, update

from instance_ha.models.errors import NotFound
from instance_ha.models.gates import Pause, Scope
from instance_ha.models.rows import Host, Notification
from instance_ha.store import records
from instance_ha.store.schema import notifications, pauses


def is_active(now: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """Match the pauses that are in force."""
    return and_(pauses.c.ended_at.is_(None), pauses.c.until > now)


_OVER = (
    select(pauses)
    .where(
        is_active(bindparam("now")),
        or_(
            pauses.c.scope == Scope.CLOUD,
            pauses.c.segment_uuid == bindparam("segment"),
            pauses.c.host_uuid == bindparam("host"),
        ),
    )
    .order_by(pauses.c.id)
)


def create(connection: Connection, pause: Pause) -> Pause:
    """Store a pause."""
    return records.one(connection, insert(pauses).values(records.values(pause)).returning(pauses), Pause)


def find(connection: Connection, uuid: str) -> Pause:
    """Read and lock a pause.

    Raises:
        NotFound: there is none.

    """
    found = records.first(connection, select(pauses).where(pauses.c.uuid == uuid).with_for_update(), Pause)
    if found is None:
        raise NotFound(f"pause {uuid} could not be found")
    return found


def end(connection: Connection, pause: Pause, actor: str | None, now: datetime) -> Pause:
    """End a pause before its time."""
    statement = update(pauses).where(pauses.c.id == pause.id).values(ended_at=now, ended_by=actor)
    return records.one(connection, statement.returning(pauses), Pause)


def page(connection: Connection, before: int | None, limit: int, active_at: datetime | None) -> list[Pause]:
    """List pauses, the newest first: only those older than ``before``, or active at a time."""
    query = select(pauses).order_by(pauses.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(pauses.c.id < before)
    if active_at is not None:
        query = query.where(is_active(active_at))
    return records.every(connection, query, Pause)


def over(connection: Connection, host: Host, now: datetime) -> list[Pause]:
    """Read the pauses that keep recoveries of a host, or of what is on it, from beginning."""
    about = {"now": now, "segment": host.failover_segment_id, "host": host.uuid}
    return records.every(connection, _OVER, Pause, about)


def held_by(connection: Connection, pause: Pause) -> list[Notification]:
    """Read the notifications in the scope of a pause whose recoveries are held, by whatever."""
    query = select(notifications).where(notifications.c.held_since.is_not(None)).order_by(notifications.c.id)
    if pause.scope is Scope.SEGMENT:
        query = query.where(notifications.c.failover_segment_uuid == pause.segment_uuid)
    if pause.scope is Scope.HOST:
        query = query.where(notifications.c.source_host_uuid == pause.host_uuid)
    return records.every(connection, query, Notification)
