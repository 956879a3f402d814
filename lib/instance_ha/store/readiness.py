"""What readiness reads of all segments, and what it has found of each last."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, column, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from instance_ha.models.evidence import SegmentPolicy
from instance_ha.models.readiness import CapacitySeen, Fit, SegmentReadiness, StoredReadiness
from instance_ha.models.rows import Host, Segment
from instance_ha.models.uuids import SegmentUuid
from instance_ha.store import policies, records
from instance_ha.store.schema import hosts, readiness, segments

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ROWS = select(*(one for one in readiness.c if one.name != "hosts"), segments.c.name.label("segment_name")).join(
    segments, segments.c.uuid == readiness.c.segment_uuid
)
_STORED = _ROWS.where(segments.c.deleted_at.is_(None), readiness.c.checked_at > _NEVER)
_HOSTS = func.jsonb_array_elements(readiness.c.hosts).table_valued(column("value", JSONB), name="host")
_HOST = _HOSTS.c.value
_OF_HOST = (
    select(readiness.c.checked_at, _HOST["fit"].astext.label("fit"), _HOST["left_over"].label("left_over"))
    .select_from(readiness.join(_HOSTS, true()))
    .where(readiness.c.segment_uuid == bindparam("segment"), _HOST["uuid"].astext == bindparam("host"))
)


def registered(connection: Connection) -> list[tuple[Segment, SegmentPolicy, list[Host]]]:
    """Read all segments with their policies and hosts, by their names."""
    found = records.every(
        connection, select(segments).where(segments.c.deleted_at.is_(None)).order_by(segments.c.name), Segment
    )
    every = records.every(connection, select(hosts).where(hosts.c.deleted_at.is_(None)).order_by(hosts.c.name), Host)
    ours = {one.uuid: [host for host in every if host.failover_segment_id == one.uuid] for one in found}
    return [(one, policies.of_segment(connection, one.uuid), ours[one.uuid]) for one in found]


def stored(connection: Connection, of: SegmentUuid | None = None) -> list[StoredReadiness]:
    """Read what was found last of all segments, by their names, or of one."""
    query = _STORED.order_by(segments.c.name)
    return records.every(connection, query if of is None else query.where(segments.c.uuid == of), StoredReadiness)


def hosts_of(connection: Connection, uuid: SegmentUuid) -> list[dict[str, Any]]:
    """Read what was found last of each host of a segment, as data."""
    found: list[dict[str, Any]] = connection.execute(
        select(readiness.c.hosts).where(readiness.c.segment_uuid == uuid)
    ).scalar_one()
    return found


def of_host(connection: Connection, host: Host) -> CapacitySeen | None:
    """Read what was found last of one host; None: nothing was."""
    about = {"segment": host.failover_segment_id, "host": host.uuid}
    row = connection.execute(_OF_HOST, about).first()
    return None if row is None else CapacitySeen(row.checked_at, Fit(row.fit), tuple(row.left_over))


def take(connection: Connection, uuids: Iterable[SegmentUuid]) -> dict[SegmentUuid, StoredReadiness]:
    """Read what was found last of segments, and lock it; of some that may be nothing. Forget segments that are gone."""
    known = list(uuids)
    registered = select(segments.c.uuid).where(segments.c.deleted_at.is_(None))
    connection.execute(delete(readiness).where(readiness.c.segment_uuid.not_in(registered)))
    nothing = {"checked_at": _NEVER, "unfenceable": 0, "unrecoverable": 0, "hosts": []}
    if known:
        rows = [{"segment_uuid": uuid} | nothing for uuid in sorted(known)]
        connection.execute(insert(readiness).on_conflict_do_nothing(), rows)
    query = _ROWS.where(readiness.c.segment_uuid.in_(known))
    locked = query.order_by(readiness.c.segment_uuid).with_for_update(of=readiness)
    return {row.segment_uuid: row for row in records.every(connection, locked, StoredReadiness)}


def write(
    connection: Connection, found: SegmentReadiness, trouble: str | None, since: datetime | None, now: datetime
) -> None:
    """Write down what was found of a segment."""
    values: dict[str, Any] = {
        "checked_at": now,
        "survives": found.survives,
        "reason": found.reason,
        "unfenceable": len(found.unfenceable),
        "unrecoverable": found.unrecoverable,
        "hosts": [asdict(host) for host in found.hosts],
        "trouble": trouble,
        "since": since,
    }
    if found.survives is not None:
        values["known_survives"] = found.survives
    connection.execute(update(readiness).where(readiness.c.segment_uuid == found.segment_uuid).values(values))
