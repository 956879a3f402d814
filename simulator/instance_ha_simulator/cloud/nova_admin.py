"""Nova's API, part two: migrations and hypervisors."""

import re
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud import paging, views
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError, bad_request, not_found
from instance_ha_simulator.cloud.model import Host, Migration
from instance_ha_simulator.cloud.nova_servers import require_admin
from instance_ha_simulator.cloud.nova_services import CELL_DOWN, UNEXPECTED
from instance_ha_simulator.cloud.server_lists import base
from instance_ha_simulator.cloud.world import World

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
    _register_migrations(api, cloud)
    _register_hypervisors(api, cloud)

    @api.get("/os-server-groups")
    def list_server_groups() -> Response:
        require_admin("os_compute_api:os-server-groups:index:all_projects")
        offset = int(request.args.get("offset", "0"))
        with cloud.world() as world:
            page = world.groups[offset : offset + paging.limit(request.args, cloud.options.max_limit)]
        return jsonify(server_groups=[views.server_group(group) for group in page])


def _register_migrations(api: Blueprint, cloud: Cloud) -> None:
    @api.get("/os-migrations")
    def list_migrations() -> Response:
        require_admin("os_compute_api:os-migrations:index")
        args = request.args
        if g.version >= (2, 75):
            paging.check_names(args, _MIGRATION_FILTERS, UNEXPECTED)
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
        for m in world.listed_migrations
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
                raise ApiError(500, CELL_DOWN)
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
