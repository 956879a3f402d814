"""Nova's API, part two: services, migrations and hypervisors."""

import re
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud import paging, views
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError, bad_request, not_found
from instance_ha_simulator.cloud.model import Host, Migration
from instance_ha_simulator.cloud.nova_servers import require_admin
from instance_ha_simulator.cloud.server_lists import base
from instance_ha_simulator.cloud.world import World

_CELL_DOWN = "Unexpected API Error. <class 'oslo_db.exception.DBConnectionError'>"
_UNEXPECTED = "Additional properties are not allowed ('%s' was unexpected)"
_MIGRATION_FILTERS = frozenset(
    {
        "changes-since",
        "changes-before",
        "hidden",
        "host",
        "instance_uuid",
        "limit",
        "marker",
        "migration_type",
        "project_id",
        "source_compute",
        "status",
        "user_id",
    }
)


def register(api: Blueprint, cloud: Cloud) -> None:
    """Add the routes."""
    _register_services(api, cloud)
    _register_migrations(api, cloud)
    _register_hypervisors(api, cloud)


def _register_services(api: Blueprint, cloud: Cloud) -> None:
    @api.get("/os-services")
    def list_services() -> Response:
        require_admin("os_compute_api:os-services:list")
        args = request.args
        if g.version >= (2, 75):
            paging.check_names(args, ("host", "binary"), _UNEXPECTED)
        with cloud.world() as world:
            controllers = enumerate(cloud.controllers.items(), 1)
            shown = [views.controller(world, name, n, uuid, g.version) for n, (name, uuid) in controllers]
            shown += [_service(world, host) for host in world.hosts.values() if _is_listed(world, host)]
        wanted = {name: args[name] for name in ("host", "binary") if name in args}
        return jsonify(services=[view for view in shown if wanted.items() <= view.items()])

    @api.put("/os-services/<service_id>")
    def update_service(service_id: str) -> Response:
        require_admin("os_compute_api:os-services:update")
        _check_uuid(service_id)
        changes = _parse_service(request.get_json(silent=True))
        with cloud.world() as world:
            host = world.service(service_id)
            if not world.answers(host.name):
                raise ApiError(500, _CELL_DOWN)
            must_ask_compute = _change_service(world, host, changes) and world.is_up(host)
            body = {"service": views.service(world, host, g.version)}
            is_silent = not host.alive
        if must_ask_compute and is_silent:
            # Nova has stored the change and now calls the host's nova-compute, which will not answer.
            cloud.clock.sleep(cloud.options.disable_rpc_timeout)
        return jsonify(body)


def _is_listed(world: World, host: Host) -> bool:
    return world.answers(host.name) or bool(g.version >= (2, 69))


def _service(world: World, host: Host) -> views.Json:
    if world.answers(host.name):
        return views.service(world, host, g.version)
    return {"binary": "nova-compute", "host": host.name, "status": "UNKNOWN"}


def _check_uuid(text: str) -> None:
    try:
        UUID(text)
    except ValueError:
        raise bad_request(f"Invalid uuid {text}") from None


def _parse_service(body: Any) -> dict[str, Any]:
    changes = body if isinstance(body, dict) else {}
    for name in changes:
        if name not in ("status", "disabled_reason", "forced_down"):
            raise bad_request(_UNEXPECTED % name)
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
    if "status" in changes:
        host.enabled = changes["status"] == "enabled"
        host.disabled_reason = changes.get("disabled_reason")
    if "forced_down" in changes:
        host.forced_down = bool(changes["forced_down"])
    host.changed_at = world.now
    return host.enabled != before


def _check_evacuations(world: World, host: Host) -> None:
    if any(m.source_compute == host.name and m.status == "done" for m in world.migrations):
        raise bad_request(
            f"Unable to force up host {host.name} as `done` evacuation migration records remain associated "
            "with the host. Ensure the compute service has been restarted, allowing these records to move "
            "to `completed` before retrying this request."
        )


def _register_migrations(api: Blueprint, cloud: Cloud) -> None:
    @api.get("/os-migrations")
    def list_migrations() -> Response:
        require_admin("os_compute_api:os-migrations:index")
        args = request.args
        if g.version >= (2, 75):
            paging.check_names(args, _MIGRATION_FILTERS, _UNEXPECTED)
        with cloud.world() as world:
            found = _select_migrations(world)
            if g.version < (2, 59):
                return jsonify(migrations=[views.migration(m, g.version) for m in found])
            found.reverse()
            marker = args.get("marker")
            page = paging.after(found, marker, lambda m: m.uuid, f"Marker {marker} could not be found.")
            most = cloud.options.max_limit
            page = page[: paging.limit(args, most)]
            body: dict[str, Any] = {"migrations": [views.migration(m, g.version) for m in page]}
        url = f"{base()}/v2.1/os-migrations"
        if links := paging.next_link(url, args, page, most, lambda: page[-1].uuid):
            body["migrations_links"] = links
        return jsonify(body)


def _select_migrations(world: World) -> list[Migration]:
    args = request.args
    since = paging.changes_since(args) if g.version >= (2, 59) else None
    names = ("source_compute", "instance_uuid", "status", "migration_type")
    wanted = {name: args[name] for name in names if name in args}
    host = args.get("host")
    return [
        m
        for m in world.migrations
        if world.answers(m.source_compute)
        and all(getattr(m, name) == value for name, value in wanted.items())
        and host in (None, m.source_compute, m.dest_compute)
        and (since is None or (m.updated_at or m.created_at) >= since)
    ]


def _register_hypervisors(api: Blueprint, cloud: Cloud) -> None:
    def show(detail: bool) -> Response:
        require_admin(f"os_compute_api:os-hypervisors:list{'-detail' if detail else ''}")
        pattern = request.args.get("hypervisor_hostname_pattern")
        servers = request.args.get("with_servers", "").lower() in ("1", "true")
        with cloud.world() as world:
            if pattern is not None and world.down_cells:
                raise ApiError(500, _CELL_DOWN)
            found = [
                views.hypervisor(world, host, g.version, detail, servers)
                for host in world.hosts.values()
                if world.answers(host.name)
                and (pattern is None or re.search(re.escape(pattern), host.hypervisor_hostname))
            ]
        if pattern is not None and not found:
            raise not_found(f"No hypervisor matching '{pattern}' could be found.")
        return jsonify(hypervisors=found)

    @api.get("/os-hypervisors")
    def list_hypervisors() -> Response:
        return show(detail=False)

    @api.get("/os-hypervisors/detail")
    def list_hypervisors_detail() -> Response:
        return show(detail=True)

    @api.get("/os-hypervisors/<hypervisor_id>/uptime")
    def show_uptime(hypervisor_id: str) -> Response:
        require_admin("os_compute_api:os-hypervisors:uptime")
        with cloud.world() as world:
            host = _hypervisor(world, hypervisor_id)
            if not (world.is_up(host) and host.alive):
                raise bad_request(f"Compute service of {host.name} is unavailable at this time.")
            view = views.hypervisor(world, host, g.version, detail=False, servers=False)
            return jsonify(hypervisor=view | {"uptime": views.uptime(world, host)})


def _hypervisor(world: World, hypervisor_id: str) -> Host:
    for host in world.hosts.values():
        if host.hypervisor_id == hypervisor_id:
            return host
    raise not_found(f"Hypervisor with ID '{hypervisor_id}' could not be found.")
