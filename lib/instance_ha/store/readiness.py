"""What readiness reads of all segments."""

from sqlalchemy import Connection, select

from instance_ha.models.evidence import SegmentPolicy
from instance_ha.models.rows import Host, Segment
from instance_ha.store import policies, records
from instance_ha.store.schema import hosts, segments


def registered(connection: Connection) -> list[tuple[Segment, SegmentPolicy, list[Host]]]:
    """Read all segments with their policies and hosts, by their names."""
    found = records.every(
        connection, select(segments).where(segments.c.deleted_at.is_(None)).order_by(segments.c.name), Segment
    )
    every = records.every(connection, select(hosts).where(hosts.c.deleted_at.is_(None)).order_by(hosts.c.name), Host)
    ours = {one.uuid: [host for host in every if host.failover_segment_id == one.uuid] for one in found}
    return [(one, policies.of_segment(connection, one.uuid), ours[one.uuid]) for one in found]
