"""The policies of segments; one that nobody has changed has no row, and the defaults are in force."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from instance_ha.models.evidence import EvidenceKind, SegmentPolicy
from instance_ha.models.uuids import SegmentUuid
from instance_ha.store.schema import segment_policies

_OF_SEGMENT = select(segment_policies).where(segment_policies.c.segment_uuid == bindparam("wanted"))


def of_segment(connection: Connection, uuid: SegmentUuid) -> SegmentPolicy:
    """Read the policy of a segment."""
    found = connection.execute(_OF_SEGMENT, {"wanted": uuid}).first()
    return SegmentPolicy(segment_uuid=uuid) if found is None else _policy(found._asdict())


def change(
    connection: Connection, uuid: SegmentUuid, values: dict[str, Any], actor: str | None, now: datetime
) -> SegmentPolicy:
    """Change the policy of a segment; what is not among the values stays as it is."""
    stored = values | {"updated_at": now, "actor": actor}
    if "dead_when" in stored:
        stored["dead_when"] = [sorted(set(kinds)) for kinds in stored["dead_when"]]
    statement = insert(segment_policies).values(segment_uuid=uuid, **stored)
    statement = statement.on_conflict_do_update(index_elements=["segment_uuid"], set_=stored)
    return _policy(connection.execute(statement.returning(segment_policies)).one()._asdict())


def _policy(row: dict[str, Any]) -> SegmentPolicy:
    dead_when = tuple(frozenset(EvidenceKind(kind) for kind in kinds) for kinds in row["dead_when"])
    return SegmentPolicy(**row | {"dead_when": dead_when})
