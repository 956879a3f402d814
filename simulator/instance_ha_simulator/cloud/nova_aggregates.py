"""Nova's API, part three: host aggregates."""

from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud import views
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import bad_request, conflict, not_found
from instance_ha_simulator.cloud.model import Aggregate
from instance_ha_simulator.cloud.nova_servers import require_admin
from instance_ha_simulator.cloud.world import World


def register(api: Blueprint, cloud: Cloud) -> None:
    """Add the routes."""
    _register_reading(api, cloud)
    _register_changing(api, cloud)


def _register_reading(api: Blueprint, cloud: Cloud) -> None:
    @api.before_request
    def check_aggregate_policy() -> None:
        if "/os-aggregates" in request.path:
            require_admin("os_compute_api:os-aggregates")

    @api.get("/os-aggregates")
    def list_aggregates() -> Response:
        with cloud.world() as world:
            return jsonify(aggregates=[views.aggregate(a, g.version) for a in world.aggregates.values()])

    @api.get("/os-aggregates/<int:aggregate_id>")
    def show_aggregate(aggregate_id: int) -> Response:
        with cloud.world() as world:
            return jsonify(aggregate=views.aggregate(world.aggregate(aggregate_id), g.version))


def _register_changing(api: Blueprint, cloud: Cloud) -> None:
    @api.post("/os-aggregates")
    def create_aggregate() -> Response:
        with cloud.world() as world:
            record = _create_aggregate(world, request.get_json(silent=True))
            return jsonify(aggregate=views.aggregate(record, g.version, created=True))

    @api.delete("/os-aggregates/<int:aggregate_id>")
    def delete_aggregate(aggregate_id: int) -> tuple[str, int]:
        with cloud.world() as world:
            if world.aggregate(aggregate_id).hosts:
                reason = "Host aggregate is not empty."
                raise bad_request(f"Cannot remove host from aggregate {aggregate_id}. Reason: {reason}")
            del world.aggregates[aggregate_id]
        return "", 200

    @api.post("/os-aggregates/<int:aggregate_id>/action")
    def act_on_aggregate(aggregate_id: int) -> Response:
        body = request.get_json(silent=True)
        with cloud.world() as world:
            record = world.aggregate(aggregate_id)
            _change_hosts(world, record, body if isinstance(body, dict) else {})
            return jsonify(aggregate=views.aggregate(record, g.version))


def _create_aggregate(world: World, body: Any) -> Aggregate:
    wanted = body.get("aggregate") if isinstance(body, dict) else None
    if not isinstance(wanted, dict) or not wanted.get("name"):
        raise bad_request("Invalid input for field/attribute aggregate. 'name' is a required property")
    name, zone = str(wanted["name"]), wanted.get("availability_zone")
    if any(a.name == name for a in world.aggregates.values()):
        raise conflict(f"Aggregate {name} already exists.")
    world.aggregate_count += 1
    number = world.aggregate_count
    metadata = {"availability_zone": zone} if zone else {}
    record = Aggregate(number, str(uuid4()), name, world.now, zone, metadata=metadata)
    world.aggregates[number] = record
    return record


def _change_hosts(world: World, record: Aggregate, body: dict[str, Any]) -> None:
    action = next((name for name in ("add_host", "remove_host") if isinstance(body.get(name), dict)), None)
    if action is None:
        raise bad_request(f"There is no such action: {next(iter(body), '')}")
    host = str(body[action].get("host"))
    if host not in world.hosts:
        raise not_found(f"Compute host {host} could not be found.")
    if action == "add_host":
        if host in record.hosts:
            raise conflict(f"Aggregate {record.id} already has host {host}.")
        _check_zone(world, record, host)
        record.hosts.append(host)
    elif host in record.hosts:
        record.hosts.remove(host)
    else:
        raise not_found(f"Cannot remove host {host} in aggregate {record.id}")


def _check_zone(world: World, record: Aggregate, host: str) -> None:
    zones = {one.availability_zone for one in world.aggregates.values() if host in one.hosts} - {None}
    if record.availability_zone is not None and zones - {record.availability_zone}:
        reason = f"One or more hosts already in availability zone(s) {sorted(zones, key=str)}"
        raise conflict(f"Cannot add host to aggregate {record.id}. Reason: {reason}.")
