"""Nova's compute services, and the records of them that were left behind."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud import paging, views
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError, bad_request
from instance_ha_simulator.cloud.microversion import Version
from instance_ha_simulator.cloud.model import Host, OldService
from instance_ha_simulator.cloud.nova_servers import require_admin
from instance_ha_simulator.cloud.world import World

CELL_DOWN = "Unexpected API Error. <class 'oslo_db.exception.DBConnectionError'>"
UNEXPECTED = "Additional properties are not allowed ('%s' was unexpected)"


def register(api: Blueprint, cloud: Cloud) -> None:
    """Add the routes."""

    @api.get("/os-services")
    def list_services() -> Response:
        require_admin("os_compute_api:os-services:list")
        args = request.args
        if g.version >= (2, 75):
            paging.check_names(args, ("host", "binary"), UNEXPECTED)
        with cloud.world() as world:
            controllers = enumerate(cloud.controllers.items(), 1)
            shown = [_controller(world, name, n, uuid, g.version) for n, (name, uuid) in controllers]
            shown += [view for host in world.hosts.values() for view in _services(world, host)]
        wanted = {name: args[name] for name in ("host", "binary") if name in args}
        return jsonify(services=[view for view in shown if wanted.items() <= view.items()])

    @api.put("/os-services/<service_id>")
    def update_service(service_id: str) -> Response:
        require_admin("os_compute_api:os-services:update")
        _check_uuid(service_id)
        changes = _parse_service(request.get_json(silent=True))
        with cloud.world() as world:
            host = world.service(service_id)
            old = host.old_service if host.service_id != service_id else None
            if (old.cell if old is not None else host.cell) in world.down_cells:
                raise ApiError(500, CELL_DOWN)
            if old is not None:
                _store(old, changes, world.now)
                return jsonify(service=_show_old(world, host, old, g.version))
            must_ask_compute = _change_service(world, host, changes) and world.is_up(host)
            body = {"service": _show(world, host, g.version)}
            is_silent = not host.alive
        if must_ask_compute and is_silent:
            # Nova has stored the change and now calls the host's nova-compute, which will not answer.
            cloud.clock.sleep(cloud.options.disable_rpc_timeout)
        return jsonify(body)


def _services(world: World, host: Host) -> Iterator[views.Json]:
    """Show the records of a host's service, the oldest first; of one whose cell does not answer only its name."""
    unknown = {"binary": "nova-compute", "host": host.name, "status": "UNKNOWN"}
    if (old := host.old_service) is not None:
        if old.cell not in world.down_cells:
            yield _show_old(world, host, old, g.version)
        elif g.version >= (2, 69):
            yield unknown
    if world.answers(host.name):
        yield _show(world, host, g.version)
    elif g.version >= (2, 69):
        yield unknown


def _check_uuid(text: str) -> None:
    try:
        UUID(text)
    except ValueError:
        raise bad_request(f"Invalid uuid {text}") from None


def _parse_service(body: Any) -> dict[str, Any]:
    changes = body if isinstance(body, dict) else {}
    for name in changes:
        if name not in ("status", "disabled_reason", "forced_down"):
            raise bad_request(UNEXPECTED % name)
    status = changes.get("status")
    if status is None and "forced_down" not in changes:
        raise bad_request("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
    if status not in (None, "enabled", "disabled"):
        raise bad_request(
            f"Invalid input for field/attribute status. Value: {status}. "
            f"{status!r} is not one of ['enabled', 'disabled']"
        )
    if status == "enabled" and changes.get("disabled_reason"):
        raise bad_request("Specifying 'disabled_reason' with status 'enabled' is invalid.")
    return changes


def _change_service(world: World, host: Host, changes: dict[str, Any]) -> bool:
    """Store the changes; tell whether the host was enabled or disabled by them."""
    if changes.get("forced_down") is False and host.forced_down:
        _check_evacuations(world, host)
    before = host.enabled
    _store(host, changes, world.now)
    return host.enabled != before


def _store(record: Host | OldService, changes: dict[str, Any], now: datetime) -> None:
    if "status" in changes:
        record.enabled = changes["status"] == "enabled"
        record.disabled_reason = changes.get("disabled_reason")
    if "forced_down" in changes:
        record.forced_down = bool(changes["forced_down"])
    record.changed_at = now


def _check_evacuations(world: World, host: Host) -> None:
    if any(m.source_compute == host.name and m.status == "done" for m in world.migrations):
        raise bad_request(
            f"Unable to force up host {host.name} as `done` evacuation migration records remain associated "
            "with the host. Ensure the compute service has been restarted, allowing these records to move "
            "to `completed` before retrying this request."
        )


def _show(world: World, host: Host, version: Version) -> views.Json:
    """Show a host's nova-compute service."""
    view: views.Json = {
        "binary": "nova-compute",
        "host": host.name,
        "id": host.service_id if version >= (2, 53) else host.number,
        "zone": world.zone_of(host),
        "status": "enabled" if host.enabled else "disabled",
        "state": "up" if world.is_up(host) else "down",
        "updated_at": views.iso(world.updated_at(host)),
        "disabled_reason": host.disabled_reason,
    }
    if version >= (2, 11):
        view["forced_down"] = host.forced_down
    return view


def _show_old(world: World, host: Host, old: OldService, version: Version) -> views.Json:
    """Show the record of a host's nova-compute from before: nothing has reported to it for a year."""
    view = _show(world, host, version) | {
        "id": old.id if version >= (2, 53) else 1000 + host.number,
        "status": "enabled" if old.enabled else "disabled",
        "state": "down",
        "updated_at": views.iso(old.changed_at),
        "disabled_reason": old.disabled_reason,
    }
    return view | ({"forced_down": old.forced_down} if version >= (2, 11) else {})


def _controller(world: World, binary: str, number: int, uuid: str, version: Version) -> views.Json:
    """Show a service that runs on the controller."""
    view: views.Json = {
        "binary": binary,
        "host": "controller",
        "id": uuid if version >= (2, 53) else number,
        "zone": "internal",
        "status": "enabled",
        "state": "up" if world.controllers.is_up(binary, world.now, world.options.service_down_time) else "down",
        "updated_at": views.iso(world.now),
        "disabled_reason": None,
    }
    if version >= (2, 11):
        view["forced_down"] = False
    return view
