"""``/segments``."""

from uuid import uuid4

from instance_ha import emit
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.segments import (
    CreateSegment,
    Segment,
    SegmentEnvelope,
    SegmentsEnvelope,
    SegmentsQuery,
    UpdateSegment,
)
from instance_ha.models.errors import Conflict
from instance_ha.store import segments


def index(call: Call, asked: SegmentsQuery) -> SegmentsEnvelope:
    """List segments."""
    wanted = asked.page(call.world.settings.osapi_max_limit)
    with call.world.database.begin() as connection:
        found = segments.page(connection, wanted)
    return SegmentsEnvelope(segments=[Segment.model_validate(row) for row in found])


def create(call: Call, asked: CreateSegment) -> SegmentEnvelope:
    """Create a segment."""
    values, uuid, now = asked.segment.model_dump(), str(uuid4()), call.world.clock.now()
    with emit.change(call.world, "segment.create") as change, call.world.database.begin() as connection:
        change.start(uuid, values)
        row = segments.create(connection, {"uuid": uuid, **values}, now)
        change.end(connection, vars(row))
    return SegmentEnvelope(segment=Segment.model_validate(row))


def show(call: Call, _: Nothing) -> SegmentEnvelope:
    """Show a segment."""
    with call.world.database.begin() as connection:
        row = segments.find(connection, call.segment_uuid)
    return SegmentEnvelope(segment=Segment.model_validate(row))


def update(call: Call, asked: UpdateSegment) -> SegmentEnvelope:
    """Change a segment; ``enabled`` alone also during a recovery, since that is when an operator needs it."""
    values, uuid, now = asked.segment.given(), call.segment_uuid, call.world.clock.now()
    with emit.change(call.world, "segment.update") as change, call.world.database.begin() as connection:
        before = segments.find(connection, uuid, lock=True)
        if set(values) != {"enabled"} and segments.under_recovery(connection, uuid):
            raise Conflict(f"segment {uuid} cannot be changed: a failure of one of its hosts is being handled")
        change.start(uuid, vars(before) | values)
        row = segments.change(connection, uuid, values, now)
        change.end(connection, vars(row))
    return SegmentEnvelope(segment=Segment.model_validate(row))


def delete(call: Call, _: Nothing) -> None:
    """Delete a segment with its hosts."""
    uuid, now = call.segment_uuid, call.world.clock.now()
    with emit.change(call.world, "segment.delete") as change, call.world.database.begin() as connection:
        before = segments.find(connection, uuid, lock=True)
        if segments.under_recovery(connection, uuid):
            raise Conflict(f"segment {uuid} cannot be deleted: a failure of one of its hosts is being handled")
        change.start(uuid, vars(before))
        segments.delete(connection, uuid, now)
        change.end(connection, vars(before))


ROUTES = (
    Route(
        "/segments",
        {
            "GET": Operation(index, SegmentsEnvelope, SegmentsQuery, "segments:index"),
            "POST": Operation(create, SegmentEnvelope, CreateSegment, "segments:create", 201, (409,)),
        },
    ),
    Route(
        "/segments/<segment_id>",
        {
            "GET": Operation(show, SegmentEnvelope, Nothing, "segments:detail", 200, (404,)),
            "PUT": Operation(update, SegmentEnvelope, UpdateSegment, "segments:update", 200, (404, 409)),
            "DELETE": Operation(delete, None, Nothing, "segments:delete", 204, (404, 409)),
        },
    ),
)
