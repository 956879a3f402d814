"""Nova's API, part one: servers."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud import actions, instance_actions, live_migration, server_lists, views
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError, bad_request, forbidden, not_found
from instance_ha_simulator.cloud.identity import Token
from instance_ha_simulator.cloud.microversion import Version
from instance_ha_simulator.cloud.model import Server
from instance_ha_simulator.cloud.power_actions import POWER_ACTIONS
from instance_ha_simulator.cloud.world import World

Handler = Callable[[Cloud, str, Any], tuple[Any, int]]


def register(api: Blueprint, cloud: Cloud) -> None:
    """Add the routes."""

    @api.get("/servers")
    def list_servers() -> Response:
        return server_lists.answer(cloud, detail=False)

    @api.get("/servers/detail")
    def list_servers_detail() -> Response:
        return server_lists.answer(cloud, detail=True)

    @api.get("/servers/<server_id>")
    def show_server(server_id: str) -> Response:
        with cloud.world() as world:
            server = _visible(world, server_id)
            if world.answers(server.host) or g.version < (2, 69):
                return jsonify(server=server_lists.view(world, _readable(world, server), detail=True))
            return jsonify(server=views.server_in_unreachable_cell(server, server_lists.base(), g.version))

    @api.delete("/servers/<server_id>")
    def delete_server(server_id: str) -> tuple[str, int]:
        with cloud.world() as world:
            actions.delete(world, _readable(world, _visible(world, server_id)))
        return "", 204

    @api.post("/servers/<server_id>/action")
    def act(server_id: str) -> tuple[Any, int]:
        name, argument = _parse_action(request.get_json(silent=True))
        with cloud.world() as world:
            _readable(world, _visible(world, server_id))
        answer = _HANDLERS[name](cloud, server_id, argument)
        project = g.token.project.id if g.token.project else None
        instance_actions.note(cloud, server_id, name, instance_actions.By(g.token.user.id, project))
        return answer


def _visible(world: World, server_id: str) -> Server:
    token: Token = g.token
    server = world.server(server_id)
    if not token.is_admin and (token.project is None or server.project_id != token.project.id):
        raise not_found(f"Instance {server_id} could not be found.")
    return server


def _readable(world: World, server: Server) -> Server:
    if not world.answers(server.host):
        raise ApiError(500, "Cell is not responding or returned an exception, hence instance info is not available.")
    return server


def _parse_action(body: Any) -> tuple[str, Any]:
    if not isinstance(body, dict) or not body:
        raise bad_request("Malformed request body")
    for name in body:
        if name in _HANDLERS:
            return name, body[name]
    raise bad_request(f"There is no such action: {next(iter(body))}")


def _evacuate(cloud: Cloud, server_id: str, argument: Any) -> tuple[Any, int]:
    require_admin("os_compute_api:os-evacuate")
    version: Version = g.version
    fields = argument if isinstance(argument, dict) else {}
    _check_evacuate_fields(fields, version)
    cloud.evacuate(server_id, g.token, fields.get("host"), stopped_after=version >= (2, 95))
    return ("" if version >= (2, 14) else {"adminPass": "simulated"}), 200


def _check_evacuate_fields(fields: dict[str, Any], version: Version) -> None:
    prefix = f"Invalid input for field/attribute evacuate. Value: {fields}. "
    allowed = {"host", "adminPass"}
    if version < (2, 14):
        allowed.add("onSharedStorage")
        if "onSharedStorage" not in fields:
            raise bad_request(prefix + "'onSharedStorage' is a required property")
    if (2, 29) <= version < (2, 68):
        allowed.add("force")
    for name in fields:
        if name not in allowed:
            raise bad_request(f"{prefix}Additional properties are not allowed ({name!r} was unexpected)")


def _live_migrate(cloud: Cloud, server_id: str, argument: Any) -> tuple[str, int]:
    require_admin("os_compute_api:os-migrate-server:migrate_live")
    fields, version = argument if isinstance(argument, dict) else {}, g.version
    prefix = f"Invalid input for field/attribute os-migrateLive. Value: {fields}. "
    allowed = {"host", "block_migration"} | ({"disk_over_commit"} if version < (2, 25) else set())
    allowed |= {"force"} if (2, 30) <= version < (2, 68) else set()
    for name in ("host", "block_migration"):
        if name not in fields:
            raise bad_request(f"{prefix}{name!r} is a required property")
    for name in fields:
        if name not in allowed:
            raise bad_request(f"{prefix}Additional properties are not allowed ({name!r} was unexpected)")
    with cloud.world() as world:
        live_migration.ask(world, world.server(server_id), g.token, str(fields["host"]))
    return "", 202


def require_admin(policy: str) -> None:
    """Answer 403 unless the request comes with the role admin."""
    if not g.token.is_admin:
        raise forbidden(policy)


def _lock(cloud: Cloud, server_id: str, argument: Any) -> tuple[str, int]:
    reason = argument.get("locked_reason") if isinstance(argument, dict) and g.version >= (2, 73) else None
    with cloud.world() as world:
        server = world.server(server_id)
        actions.lock(world, server, g.token.project.id == server.project_id, reason)
    return "", 202


def _unlock(cloud: Cloud, server_id: str, argument: Any) -> tuple[str, int]:
    with cloud.world() as world:
        actions.unlock(world, world.server(server_id))
    return "", 202


def _reset_state(cloud: Cloud, server_id: str, argument: Any) -> tuple[str, int]:
    require_admin("os_compute_api:os-admin-actions:reset_state")
    with cloud.world() as world:
        state = argument.get("state") if isinstance(argument, dict) else None
        actions.reset_state(world, world.server(server_id), state)
    return "", 202


def _power(name: str) -> Handler:
    def handle(cloud: Cloud, server_id: str, argument: Any) -> tuple[str, int]:
        with cloud.world() as world:
            actions.power(world, world.server(server_id), name)
        return "", 202

    return handle


def _reboot(cloud: Cloud, server_id: str, argument: Any) -> tuple[str, int]:
    kind = str(argument.get("type", "")).lower() if isinstance(argument, dict) else ""
    if kind not in ("soft", "hard"):
        raise bad_request("Invalid input for field/attribute reboot. 'type' is a required property")
    with cloud.world() as world:
        actions.power(world, world.server(server_id), f"reboot-{kind}")
    return "", 202


_HANDLERS: dict[str, Handler] = {
    **{name: _power(name) for name in POWER_ACTIONS if not name.startswith("reboot-")},
    "evacuate": _evacuate,
    "lock": _lock,
    "os-migrateLive": _live_migrate,
    "unlock": _unlock,
    "os-resetState": _reset_state,
    "reboot": _reboot,
}
