"""Segments."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Select, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from instance_ha.models.enums import OPEN_NOTIFICATION
from instance_ha.models.errors import Conflict, NotFound
from instance_ha.models.rows import Segment
from instance_ha.models.uuids import SegmentUuid
from instance_ha.store import paging, records
from instance_ha.store.schema import hosts, notifications, segments

_BY_UUID = select(segments).where(segments.c.uuid == bindparam("wanted"), segments.c.deleted_at.is_(None))
IS_ENABLED = select(segments.c.enabled).where(segments.c.uuid == bindparam("wanted"), segments.c.deleted_at.is_(None))


def find(connection: Connection, uuid: SegmentUuid, *, lock: bool = False) -> Segment:
    """Read a live segment; with ``lock`` neither it nor its hosts change, and no failure of them is reported meanwhile.

    Raises:
        NotFound: there is none.

    """
    query = _BY_UUID.with_for_update() if lock else _BY_UUID
    found = records.first(connection, query, Segment, {"wanted": uuid})
    if found is None:
        raise NotFound(f"segment {uuid} could not be found")
    if lock:  # a report locks the row of its host: whatever comes second sees what the first has committed
        of = hosts.c.failover_segment_id == uuid
        connection.execute(
            select(hosts.c.id).where(of, hosts.c.deleted_at.is_(None)).order_by(hosts.c.id).with_for_update()
        )
    return found


def is_enabled(connection: Connection, uuid: SegmentUuid) -> bool:
    """Say whether failures in a segment are recovered; one that is gone is not."""
    return bool(connection.execute(IS_ENABLED, {"wanted": uuid}).scalar())


def is_enabled_now(uuid: SegmentUuid) -> Select[tuple[bool]]:
    """Choose whether failures in a segment are recovered, and lock it, so that it stays so meanwhile."""
    return IS_ENABLED.params(wanted=uuid).with_for_update(key_share=True)


def page(connection: Connection, wanted: paging.Page) -> list[Segment]:
    """List segments."""
    return records.every(connection, paging.query(connection, segments, wanted), Segment)


def create(connection: Connection, values: dict[str, Any], now: datetime) -> Segment:
    """Store a segment.

    Raises:
        Conflict: the name is in use.

    """
    return _write(connection, insert(segments).values(**{"uuid": str(uuid4()), "created_at": now} | values), values)


def change(connection: Connection, uuid: SegmentUuid, values: dict[str, Any], now: datetime) -> Segment:
    """Change a segment.

    Raises:
        Conflict: the name is in use.

    """
    statement = update(segments).where(segments.c.uuid == uuid).values(updated_at=now, **values)
    return _write(connection, statement, values)


def _write(connection: Connection, statement: Any, values: dict[str, Any]) -> Segment:
    try:
        return records.one(connection, statement.returning(segments), Segment)
    except IntegrityError:
        raise Conflict(f"a segment with the name {values.get('name')} exists already") from None


def delete(connection: Connection, uuid: SegmentUuid, now: datetime) -> None:
    """Delete a segment and its hosts."""
    connection.execute(
        update(hosts).where(hosts.c.failover_segment_id == uuid, hosts.c.deleted_at.is_(None)).values(deleted_at=now)
    )
    connection.execute(update(segments).where(segments.c.uuid == uuid).values(deleted_at=now))


def under_recovery(connection: Connection, uuid: SegmentUuid) -> bool:
    """Whether a failure of one of its hosts is being handled."""
    query = (
        select(notifications.c.id)
        .join(hosts, hosts.c.uuid == notifications.c.source_host_uuid)
        .where(
            hosts.c.failover_segment_id == uuid,
            hosts.c.deleted_at.is_(None),
            notifications.c.deleted_at.is_(None),
            notifications.c.status.in_(OPEN_NOTIFICATION),
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None
