"""Placement's API under /placement, as far as it is read: what hosts have, and what servers take of it.

A host that can hold so many servers has memory for just so many of the usual size.
"""

from math import ceil
from typing import Any
from uuid import UUID, uuid4, uuid5

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError, bad_request, not_found
from instance_ha_simulator.cloud.model import Host, Migration, Server
from instance_ha_simulator.cloud.world import World

_RATIO = {"VCPU": 4.0, "MEMORY_MB": 1.5}  # as operators have it: more is promised than there is
_RESERVED = {"MEMORY_MB": 512}
_SIZE = {"VCPU": 1, "MEMORY_MB": 64, "DISK_GB": 1}  # of a server of size 1
_MUCH = {"VCPU": 1000, "MEMORY_MB": 800000, "DISK_GB": 600000}
_MOVING = frozenset({"accepted", "preparing", "pre-migrating", "running", "migrating"})
_TRAITS = frozenset({"COMPUTE_NODE"})  # that every host has


def blueprint(cloud: Cloud) -> Blueprint:
    """Return Placement's API for this cloud."""
    api = Blueprint("placement", __name__, url_prefix="/placement")

    @api.before_request
    def prepare() -> None:
        if cloud.options.noauth:
            return
        with cloud.world():
            g.token = cloud.identity.authenticate(request.headers.get("X-Auth-Token"))
        if not g.token.is_admin:
            raise ApiError(403, "Access was denied to this resource.")

    @api.get("/resource_providers")
    def list_providers() -> Response:
        required = request.args.get("required")
        if required is not None and required not in _TRAITS:
            raise bad_request(f'Invalid trait(s) in "required" parameter: No such trait(s): {required}.')
        with cloud.world() as world:
            nested = _with_devices(world) if required is None else []
            views = [*map(_provider, world.hosts.values()), *map(_nested, nested)]
        return jsonify(resource_providers=views)

    @api.get("/resource_providers/<uuid>/inventories")
    def list_inventories(uuid: str) -> Response:
        with cloud.world() as world:
            totals = {"VGPU": 4} if _of_nested(world, uuid) else _totals(_host(world, uuid))
        views = {name: _inventory(name, capacity) for name, capacity in totals.items()}
        return jsonify(resource_provider_generation=1, inventories=views)

    @api.get("/resource_providers/<uuid>/allocations")
    def list_allocations(uuid: str) -> Response:
        with cloud.world() as world:
            nested = _of_nested(world, uuid)
            consumers = _consumers(world, nested or _host(world, uuid))
            taken = {one.id: _own(one) for one in consumers} if nested is None else _of_devices(consumers)
        views = {one: {"resources": resources, "consumer_generation": 1} for one, resources in taken.items()}
        return jsonify(resource_provider_generation=1, allocations=views)

    api.register_error_handler(ApiError, _error)
    return api


def _totals(host: Host) -> dict[str, int]:
    return dict(_MUCH) if host.capacity is None else _MUCH | {"MEMORY_MB": 64 * host.capacity}


def _host(world: World, uuid: str) -> Host:
    for host in world.hosts.values():
        if host.hypervisor_id == uuid:
            return host
    raise not_found(f"No resource provider with uuid {uuid} found")


def _with_devices(world: World) -> list[Host]:
    """Return the hosts on which a server has a virtual GPU; they have a nested provider."""
    names = {server.host for server in world.servers.values() if server.has_device}
    return [host for host in world.hosts.values() if host.name in names]


def _of_nested(world: World, uuid: str) -> Host | None:
    return next((host for host in _with_devices(world) if _nested(host)["uuid"] == uuid), None)


def _own(server: Server) -> dict[str, int]:
    return {name: amount * server.size for name, amount in _SIZE.items()}


def _of_devices(servers: list[Server]) -> dict[str, dict[str, int]]:
    return {server.id: {"VGPU": 1} for server in servers if server.has_device}


def _nested(host: Host) -> dict[str, Any]:
    uuid = str(uuid5(UUID(host.hypervisor_id), "pgpu"))
    view = {"uuid": uuid, "name": f"{host.hypervisor_hostname}_pgpu", "generation": 1, "links": []}
    return view | {"parent_provider_uuid": host.hypervisor_id, "root_provider_uuid": host.hypervisor_id}


def _consumers(world: World, host: Host) -> list[Server]:
    """Return the servers that are on a host, come to it, or were evacuated from it before its nova-compute was back."""
    coming = {
        m.instance_uuid for m in world.migrations if m.dest_node and m.dest_compute == host.name and m.status in _MOVING
    }
    gone = {m.instance_uuid for m in world.migrations if m.source_compute == host.name and _is_evacuated(m)}
    taking = coming | gone
    return [server for server in world.servers.values() if server.host == host.name or server.id in taking]


def _is_evacuated(migration: Migration) -> bool:
    """Say whether an evacuation is done of which its source, when it comes back, has yet to hear."""
    return migration.migration_type == "evacuation" and migration.status == "done"


def _provider(host: Host) -> dict[str, Any]:
    uuid = host.hypervisor_id
    view = {"uuid": uuid, "name": host.hypervisor_hostname, "generation": 1, "links": []}
    return view | {"parent_provider_uuid": None, "root_provider_uuid": uuid}


def _inventory(resource: str, capacity: int) -> dict[str, Any]:
    """Show an inventory of which so much can be had, or not enough more for another server."""
    ratio, reserved = _RATIO.get(resource, 1.0), _RESERVED.get(resource, 0)
    total = ceil(capacity / ratio) + reserved
    limits = {"min_unit": 1, "max_unit": max(1, total), "step_size": 1}
    return {"total": total, "reserved": reserved, "allocation_ratio": ratio, **limits}


def _error(error: ApiError) -> tuple[Response, int]:
    request_id = f"req-{uuid4()}"
    about = {"status": error.status, "title": "Error", "detail": error.message, "request_id": request_id}
    return jsonify(errors=[about | {"code": "placement.undefined_code"}]), error.status
