"""The control API under /sim: how another process makes things happen in the simulated cloud."""

from dataclasses import asdict, fields
from typing import Any

from flask import Blueprint, Response, jsonify, request

from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError, bad_request
from instance_ha_simulator.cloud.faults import Rule

_BOOT_OPTIONS = ("metadata", "vm_state", "task_state", "power_state", "project_id", "zone")


def blueprint(cloud: Cloud) -> Blueprint:
    """Return the control API for this cloud."""
    api = Blueprint("control", __name__, url_prefix="/sim")

    @api.post("/hosts")
    def add_host() -> tuple[Response, int]:
        body = _body("name", "zone", "capacity", "cell")
        options = {name: body[name] for name in ("zone", "capacity", "cell") if name in body}
        cloud.add_host(_need(body, "name"), **options)
        return jsonify(name=body["name"]), 201

    @api.post("/servers")
    def boot() -> tuple[Response, int]:
        body = _body("host", "count", "names", *_BOOT_OPTIONS)
        options = {name: body[name] for name in _BOOT_OPTIONS if name in body}
        servers = cloud.boot(_need(body, "host"), body.get("names", body.get("count", 1)), **options)
        return jsonify(servers=[server.id for server in servers]), 201

    @api.post("/hosts/<name>/kill")
    def kill(name: str) -> tuple[str, int]:
        cloud.kill_host(name)
        return "", 204

    @api.post("/hosts/<name>/start")
    def start(name: str) -> tuple[str, int]:
        cloud.start_host(name)
        return "", 204

    @api.post("/faults")
    def add_fault() -> tuple[Response, int]:
        return jsonify(rules=_add_fault(cloud)), 201

    @api.delete("/faults")
    def clear_faults() -> tuple[str, int]:
        cloud.faults.clear()
        return "", 204

    @api.get("/state")
    def state() -> Response:
        return jsonify(_state(cloud))

    api.register_error_handler(ApiError, _error)
    return api


def _body(*allowed: str) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise bad_request("a JSON object is needed")
    if unknown := sorted(set(body) - set(allowed)):
        raise bad_request(f"unknown fields: {', '.join(unknown)}")
    return body


def _need(body: dict[str, Any], name: str) -> str:
    if not isinstance(body.get(name), str):
        raise bad_request(f"a text is needed: {name}")
    return str(body[name])


def _add_fault(cloud: Cloud) -> int:
    body = _body(*(field.name for field in fields(Rule) if field.name != "hits"))
    cloud.faults.add(Rule(**body))
    return len(cloud.faults.rules)


def _state(cloud: Cloud) -> dict[str, Any]:
    states = cloud.services()
    hosts = [
        {
            "name": host.name,
            "state": states[host.name],
            "alive": host.alive,
            "status": "enabled" if host.enabled else "disabled",
            "forced_down": host.forced_down,
        }
        for host in cloud.hosts()
    ]
    servers = [
        {"id": s.id, "name": s.name, "host": s.host, "status": s.status, "task_state": s.task_state}
        for s in cloud.servers()
    ]
    return {
        "now": cloud.clock.now().isoformat(),
        "hosts": hosts,
        "servers": servers,
        "evacuation_requests": [
            asdict(request) | {"time": request.time.isoformat()} for request in cloud.evacuation_requests
        ],
        "requests": {f"{method} {route}": n for (method, route), n in sorted(cloud.requests.items())},
    }


def _error(error: ApiError) -> tuple[Response, int]:
    return jsonify(error=error.message), error.status
