"""``/segments`` (reference, section 1.9)."""

from instance_ha.api import bodies, query, views
from instance_ha.api.web import Call, Reply, Route
from instance_ha.models.errors import Conflict
from instance_ha.store import segments

_FILTERS = {"recovery_method": query.text, "service_type": query.text, "enabled": query.boolean}
_HAS_ENABLED = (1, 2)


def index(call: Call) -> Reply:
    """List."""
    wanted = query.page(call, _FILTERS)
    with call.world.database.begin() as connection:
        found = segments.page(connection, wanted)
    return Reply(200, {"segments": [views.segment(row) for row in found]})


def create(call: Call) -> Reply:
    """Create."""
    model = bodies.NewSegment12 if call.version >= _HAS_ENABLED else bodies.NewSegment
    values = bodies.read(call.body, "segment", model).model_dump()
    with call.world.database.begin() as connection:
        row = segments.create(connection, values, call.world.clock.now())
    return Reply(201, {"segment": views.segment(row)})


def show(call: Call) -> Reply:
    """Show."""
    with call.world.database.begin() as connection:
        return Reply(200, {"segment": views.segment(segments.find(connection, call.path["segment_id"]))})


def update(call: Call) -> Reply:
    """Change; ``enabled`` alone also during a recovery, since that is when an operator needs it."""
    model = bodies.SegmentChange12 if call.version >= _HAS_ENABLED else bodies.SegmentChange
    values = bodies.read(call.body, "segment", model).given()
    uuid = call.path["segment_id"]
    with call.world.database.begin() as connection:
        segments.find(connection, uuid, lock=True)
        if set(values) != {"enabled"} and segments.under_recovery(connection, uuid):
            raise Conflict(f"segment {uuid} cannot be changed: a failure of one of its hosts is being handled")
        row = segments.change(connection, uuid, values, call.world.clock.now())
    return Reply(200, {"segment": views.segment(row)})


def delete(call: Call) -> Reply:
    """Delete, with its hosts."""
    uuid = call.path["segment_id"]
    with call.world.database.begin() as connection:
        segments.find(connection, uuid, lock=True)
        if segments.under_recovery(connection, uuid):
            raise Conflict(f"segment {uuid} cannot be deleted: a failure of one of its hosts is being handled")
        segments.delete(connection, uuid, call.world.clock.now())
    return Reply(204)


ROUTES = (
    Route("/segments", {"GET": index, "POST": create}),
    Route("/segments/<segment_id>", {"GET": show, "PUT": update, "DELETE": delete}),
)
