"""``/x-instance-ha/readiness``: what segments would survive, as the function ``readiness`` has found it last."""

from datetime import timedelta
from typing import Any

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.readiness import AllReadinessEnvelope, Readiness, ReadinessEnvelope, SegmentReadiness
from instance_ha.models.errors import NotFound
from instance_ha.models.readiness import StoredReadiness
from instance_ha.store import readiness, segments


def index(call: Call, _: Nothing) -> AllReadinessEnvelope:
    """List what each segment would survive, by the names of the segments."""
    with call.world.database.read() as connection:
        found = readiness.stored(connection)
    return AllReadinessEnvelope(readiness=[Readiness.model_validate(_shown(call, row)) for row in found])


def show(call: Call, _: Nothing) -> ReadinessEnvelope:
    """Show what a segment would survive, host by host."""
    with call.world.database.read(one_moment=True) as connection:
        segment = segments.find(connection, call.segment_uuid)
        found = readiness.stored(connection, segment.uuid)
        if not found:
            raise NotFound(f"segment {segment.uuid} was not checked yet: does the function readiness run?")
        hosts = readiness.hosts_of(connection, segment.uuid)
    return ReadinessEnvelope(readiness=SegmentReadiness.model_validate(_shown(call, found[0]) | {"hosts": hosts}))


def _shown(call: Call, row: StoredReadiness) -> dict[str, Any]:
    age = call.world.clock.now() - row.checked_at
    return vars(row) | {"is_fresh": age < timedelta(seconds=call.world.settings.readiness_max_age)}


ROUTES = (
    Route(
        "/x-instance-ha/readiness",
        {"GET": Operation(index, AllReadinessEnvelope, Nothing, "instance-ha:readiness:index")},
    ),
    Route(
        "/x-instance-ha/readiness/<segment_id>",
        {"GET": Operation(show, ReadinessEnvelope, Nothing, "instance-ha:readiness:detail", 200, (404,))},
    ),
)
