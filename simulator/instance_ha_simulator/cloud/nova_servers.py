"""Nova's API, part one: servers."""

import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud import actions, instance_actions, paging, views
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import bad_request, forbidden, not_found
from instance_ha_simulator.cloud.identity import Token
from instance_ha_simulator.cloud.microversion import Version
from instance_ha_simulator.cloud.model import Server
from instance_ha_simulator.cloud.world import World

_FILTERS = frozenset(
    {
        "all_tenants",
        "changes-since",
        "changes-before",
        "created_at",
        "deleted",
        "host",
        "hostname",
        "limit",
        "locked",
        "marker",
        "metadata",
        "name",
        "node",
        "power_state",
        "project_id",
        "reservation_id",
        "sort_dir",
        "sort_key",
        "status",
        "task_state",
        "tenant_id",
        "user_id",
        "uuid",
        "vm_state",
    }
)
_UNKNOWN_FILTER = "'%s' does not match any of the regexes: '^_'"
Handler = Callable[[Cloud, str, Any], tuple[Any, int]]


def register(api: Blueprint, cloud: Cloud) -> None:
    """Add the routes."""

    @api.get("/servers")
    def list_servers() -> Response:
        return _list(cloud, detail=False)

    @api.get("/servers/detail")
    def list_servers_detail() -> Response:
        return _list(cloud, detail=True)

    @api.get("/servers/<server_id>")
    def show_server(server_id: str) -> Response:
        with cloud.world() as world:
            return jsonify(server=_view(world, _visible(world, server_id), detail=True))

    @api.delete("/servers/<server_id>")
    def delete_server(server_id: str) -> tuple[str, int]:
        with cloud.world() as world:
            actions.delete(world, _visible(world, server_id))
        return "", 204

    @api.post("/servers/<server_id>/action")
    def act(server_id: str) -> tuple[Any, int]:
        name, argument = _parse_action(request.get_json(silent=True))
        with cloud.world() as world:
            _visible(world, server_id)
        answer = _HANDLERS[name](cloud, server_id, argument)
        project = g.token.project.id if g.token.project else None
        instance_actions.note(cloud, server_id, name, instance_actions.By(g.token.user.id, project))
        return answer


def base() -> str:
    """Return the URL under which Nova answers."""
    return f"{request.host_url}compute"


def _view(world: World, server: Server, detail: bool) -> views.Json:
    if not detail:
        return views.server_brief(server, base())
    version: Version = g.version
    return views.server(world, server, version, base(), g.token.is_admin)


def _visible(world: World, server_id: str) -> Server:
    token: Token = g.token
    server = world.server(server_id)
    if not token.is_admin and (token.project is None or server.project_id != token.project.id):
        raise not_found(f"Instance {server_id} could not be found.")
    return server


def _list(cloud: Cloud, detail: bool) -> Response:
    args = request.args
    if g.version >= (2, 75):
        paging.check_names(args, _FILTERS, _UNKNOWN_FILTER)
    limit, marker = paging.limit(args), args.get("marker")
    with cloud.world() as world:
        found = sorted(_select(world, detail), key=lambda s: s.id)
        found.sort(key=lambda s: s.created.replace(microsecond=0), reverse=True)
        page = paging.after(found, marker, lambda s: s.id, f"marker [{marker}] not found")[:limit]
        body: dict[str, Any] = {"servers": [_view(world, server, detail) for server in page]}
    url = f"{base()}/v2.1/servers{'/detail' if detail else ''}"
    if links := paging.next_link(url, args, page, lambda: page[-1].id):
        body["servers_links"] = links
    return jsonify(body)


def _wants_all(detail: bool) -> bool:
    wanted = request.args.get("all_tenants", "0").lower() in ("", "1", "true", "yes", "on")
    if wanted and not g.token.is_admin:
        raise forbidden(f"os_compute_api:servers:{'detail' if detail else 'index'}:get_all_tenants")
    return wanted


def _select(world: World, detail: bool) -> list[Server]:
    args, token = request.args, g.token
    everyone = _wants_all(detail)
    since, deleted = paging.changes_since(args), _flag("deleted")
    pool = list(world.servers.values())
    if since is not None:
        gone = () if deleted is False else world.deleted.values()
        pool = [s for s in (*pool, *gone) if s.updated >= since]
    elif deleted:
        pool = list(world.deleted.values())
    if not everyone:
        pool = [s for s in pool if s.project_id == token.project.id]
    for check in _checks():
        pool = [server for server in pool if check(server)]
    return pool


def _flag(name: str) -> bool | None:
    """Read a filter that is true or false, None where it is not given."""
    given = request.args.get(name)
    return None if given is None else given.lower() in ("1", "t", "true", "on", "y", "yes")


def _checks() -> list[Callable[[Server], bool]]:
    fields = {"status": "status", "vm_state": "vm_state", "task_state": "task_state", "uuid": "id"}
    if g.token.is_admin:  # Nova ignores these for others
        fields |= {"host": "host", "node": "hypervisor_hostname"}
        fields |= {"project_id": "project_id", "tenant_id": "project_id"}
    checks = [
        _equals(field, value.upper() if name == "status" else value)
        for name, field in fields.items()
        if (value := request.args.get(name)) is not None
    ]
    if (pattern := request.args.get("name")) is not None:
        checks.append(lambda server: re.search(pattern, server.name) is not None)
    if g.version >= (2, 73) and (locked := _flag("locked")) is not None:
        checks.append(lambda server: (server.locked_by is not None) == locked)
    return checks


def _equals(field: str, value: str) -> Callable[[Server], bool]:
    return lambda server: getattr(server, field) == value


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
    **{name: _power(name) for name in actions.POWER_ACTIONS if not name.startswith("reboot-")},
    "evacuate": _evacuate,
    "lock": _lock,
    "unlock": _unlock,
    "os-resetState": _reset_state,
    "reboot": _reboot,
}
