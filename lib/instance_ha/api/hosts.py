"""``/segments/{id}/hosts`` (reference, section 1.10)."""

from instance_ha.api import bodies, query, views
from instance_ha.api.web import Call, Reply, Route
from instance_ha.models.errors import BadRequest, CloudRefused, CloudUnavailable, Conflict
from instance_ha.store import hosts, segments

_FILTERS = {
    "type": query.text,
    "name": query.text,
    "control_attributes": query.text,
    "on_maintenance": query.boolean,
    "reserved": query.boolean,
}


def index(call: Call) -> Reply:
    """List."""
    wanted = query.page(call, _FILTERS)
    with call.world.database.begin() as connection:
        segment = segments.find(connection, call.path["segment_id"])
        found = hosts.page(connection, segment.uuid, wanted)
    return Reply(200, {"hosts": [views.host(row, segment) for row in found]})


def create(call: Call) -> Reply:
    """Register a compute host that Nova knows."""
    values = bodies.read(call.body, "host", bodies.NewHost).model_dump()
    uuid = call.path["segment_id"]
    with call.world.database.begin() as connection:
        segments.find(connection, uuid)
    _check_nova_knows(call, values["name"])
    with call.world.database.begin() as connection:
        segment = segments.find(connection, uuid, lock=True)
        row = hosts.create(connection, uuid, values, call.world.clock.now())
    return Reply(201, {"host": views.host(row, segment)})


def show(call: Call) -> Reply:
    """Show."""
    with call.world.database.begin() as connection:
        segment = segments.find(connection, call.path["segment_id"])
        row = hosts.find(connection, segment.uuid, call.path["host_id"])
    return Reply(200, {"host": views.host(row, segment)})


def update(call: Call) -> Reply:
    """Change; Nova is asked only about a new name."""
    values = bodies.read(call.body, "host", bodies.HostChange).given()
    segment_uuid, uuid = call.path["segment_id"], call.path["host_id"]
    with call.world.database.begin() as connection:
        segments.find(connection, segment_uuid)
        before = hosts.find(connection, segment_uuid, uuid)
        _check_idle(segments.under_recovery(connection, segment_uuid), uuid)
    if values.get("name", before.name) != before.name:
        _check_nova_knows(call, values["name"])
    with call.world.database.begin() as connection:
        segment = segments.find(connection, segment_uuid, lock=True)
        hosts.find(connection, segment_uuid, uuid)
        _check_idle(segments.under_recovery(connection, segment_uuid), uuid)
        row = hosts.change(connection, uuid, values, call.world.clock.now())
    return Reply(200, {"host": views.host(row, segment)})


def delete(call: Call) -> Reply:
    """Delete."""
    segment_uuid, uuid = call.path["segment_id"], call.path["host_id"]
    with call.world.database.begin() as connection:
        segments.find(connection, segment_uuid, lock=True)
        hosts.find(connection, segment_uuid, uuid)
        _check_idle(segments.under_recovery(connection, segment_uuid), uuid)
        hosts.delete(connection, uuid, call.world.clock.now())
    return Reply(204)


def _check_idle(under_recovery: bool, uuid: str) -> None:
    if under_recovery:
        raise Conflict(f"host {uuid} cannot be changed: a failure in its segment is being handled")


def _check_nova_knows(call: Call, name: str) -> None:
    try:
        service = call.world.nova.service(name)
    except CloudRefused as error:
        raise CloudUnavailable(f"Nova does not let us look for the host: {error}") from error
    if service is None:
        raise BadRequest(f"Nova knows no compute service on a host with the name {name}")


ROUTES = (
    Route("/segments/<segment_id>/hosts", {"GET": index, "POST": create}),
    Route("/segments/<segment_id>/hosts/<host_id>", {"GET": show, "PUT": update, "DELETE": delete}),
)
