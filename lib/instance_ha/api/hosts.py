"""``/segments/{id}/hosts``."""

from uuid import uuid4

from instance_ha import emit
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.hosts import CreateHost, Host, HostEnvelope, HostsEnvelope, HostsQuery, UpdateHost
from instance_ha.models import rows
from instance_ha.models.errors import BadRequest, CloudRefused, CloudUnavailable, Conflict
from instance_ha.store import hosts, segments


def index(call: Call, asked: HostsQuery) -> HostsEnvelope:
    """List the hosts of a segment."""
    wanted = asked.page(call.world.settings.osapi_max_limit)
    with call.world.database.begin() as connection:
        segment = segments.find(connection, call.segment_uuid)
        found = hosts.page(connection, segment.uuid, wanted)
    return HostsEnvelope(hosts=[_shown(row, segment) for row in found])


def create(call: Call, asked: CreateHost) -> HostEnvelope:
    """Register a compute host that Nova knows."""
    values, uuid = asked.host.model_dump(), call.segment_uuid
    with call.world.database.begin() as connection:
        segments.find(connection, uuid)
    _check_nova_knows(call, asked.host.name)
    host_uuid, now = str(uuid4()), call.world.clock.now()
    with emit.change(call.world, "host.create") as change, call.world.database.begin() as connection:
        segment = segments.find(connection, uuid, lock=True)
        change.start(host_uuid, values, segment)
        row = hosts.create(connection, uuid, {"uuid": host_uuid, **values}, now)
        change.end(connection, vars(row), segment)
    return HostEnvelope(host=_shown(row, segment))


def show(call: Call, _: Nothing) -> HostEnvelope:
    """Show a host."""
    with call.world.database.begin() as connection:
        segment = segments.find(connection, call.segment_uuid)
        row = hosts.find(connection, segment.uuid, call.host_uuid)
    return HostEnvelope(host=_shown(row, segment))


def update(call: Call, asked: UpdateHost) -> HostEnvelope:
    """Change a host; Nova is asked only about a new name."""
    values, now = asked.host.given(), call.world.clock.now()
    segment_uuid, uuid = call.segment_uuid, call.host_uuid
    with call.world.database.begin() as connection:
        segments.find(connection, segment_uuid)
        before = hosts.find(connection, segment_uuid, uuid)
        _check_idle(segments.under_recovery(connection, segment_uuid), uuid)
    if values.get("name", before.name) != before.name:
        _check_nova_knows(call, values["name"])
    with emit.change(call.world, "host.update") as change, call.world.database.begin() as connection:
        segment = segments.find(connection, segment_uuid, lock=True)
        before = hosts.find(connection, segment_uuid, uuid)
        _check_idle(segments.under_recovery(connection, segment_uuid), uuid)
        if "on_maintenance" in values:
            values["on_maintenance_for"] = None  # from now on it is the operator's
        change.start(uuid, vars(before) | values, segment)
        row = hosts.change(connection, uuid, values, now)
        change.end(connection, vars(row), segment)
    return HostEnvelope(host=_shown(row, segment))


def delete(call: Call, _: Nothing) -> None:
    """Delete a host."""
    segment_uuid, uuid, now = call.segment_uuid, call.host_uuid, call.world.clock.now()
    with emit.change(call.world, "host.delete") as change, call.world.database.begin() as connection:
        segment = segments.find(connection, segment_uuid, lock=True)
        before = hosts.find(connection, segment_uuid, uuid)
        _check_idle(segments.under_recovery(connection, segment_uuid), uuid)
        change.start(uuid, vars(before), segment)
        hosts.delete(connection, uuid, now)
        change.end(connection, vars(before), segment)


def _shown(row: rows.Host, segment: rows.Segment) -> Host:
    shown = {name: value for name, value in vars(row).items() if name in Host.model_fields}
    return Host.model_validate(shown | {"failover_segment": segment})


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
    Route(
        "/segments/<segment_id>/hosts",
        {
            "GET": Operation(index, HostsEnvelope, HostsQuery, "os-hosts:index", 200, (404,)),
            "POST": Operation(create, HostEnvelope, CreateHost, "os-hosts:create", 201, (404, 409)),
        },
    ),
    Route(
        "/segments/<segment_id>/hosts/<host_id>",
        {
            "GET": Operation(show, HostEnvelope, Nothing, "os-hosts:detail", 200, (404,)),
            "PUT": Operation(update, HostEnvelope, UpdateHost, "os-hosts:update", 200, (404, 409)),
            "DELETE": Operation(delete, None, Nothing, "os-hosts:delete", 204, (404, 409)),
        },
    ),
)
