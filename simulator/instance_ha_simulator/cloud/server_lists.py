"""Nova's lists of servers: what is left out of them, and where a page ends."""

import re
from collections.abc import Callable
from typing import Any

from flask import Response, g, jsonify, request

from instance_ha_simulator.cloud import paging, views
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import forbidden
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


def base() -> str:
    """Return the URL under which Nova answers."""
    return f"{request.host_url}compute"


def view(world: World, server: Server, detail: bool) -> views.Json:
    """Show a server as the asker may see it."""
    if not detail:
        return views.server_brief(server, base())
    version: Version = g.version
    return views.server(world, server, version, base(), g.token.is_admin)


def answer(cloud: Cloud, detail: bool) -> Response:
    """Answer the list that is asked for."""
    args = request.args
    if g.version >= (2, 75):
        paging.check_names(args, _FILTERS, _UNKNOWN_FILTER)
    most, marker = cloud.options.max_limit, args.get("marker")
    with cloud.world() as world:
        found = sorted(_select(cloud, world, detail), key=lambda s: s.id)
        found.sort(key=lambda s: s.created.replace(microsecond=0), reverse=True)
        page = paging.after(found, marker, lambda s: s.id, f"marker [{marker}] not found")
        page = page[: paging.limit(args, most)]
        body: dict[str, Any] = {"servers": _unreachable(world) + [view(world, server, detail) for server in page]}
    url = f"{base()}/v2.1/servers{'/detail' if detail else ''}"
    if links := paging.next_link(url, args, page, most, lambda: page[-1].id):
        body["servers_links"] = links
    return jsonify(body)


def _unreachable(world: World) -> list[views.Json]:
    """Show what is known of servers whose cell does not answer: something in a plain list, nothing in any other."""
    if g.version < (2, 69) or set(request.args) - {"all_tenants"}:
        return []
    everyone = "all_tenants" in request.args
    return [
        views.server_in_unreachable_cell(server, base())
        for server in world.servers.values()
        if not world.answers(server.host) and (everyone or server.project_id == g.token.project.id)
    ]


def _wants_all(detail: bool) -> bool:
    wanted = request.args.get("all_tenants", "0").lower() in ("", "1", "true", "yes", "on")
    if wanted and not g.token.is_admin:
        raise forbidden(f"os_compute_api:servers:{'detail' if detail else 'index'}:get_all_tenants")
    return wanted


def _select(cloud: Cloud, world: World, detail: bool) -> list[Server]:
    args, token = request.args, g.token
    everyone = _wants_all(detail)
    since, deleted = paging.changes_since(args), _flag("deleted")
    pool = world.listed_servers
    if since is not None:
        gone = () if deleted is False else world.deleted.values()
        pool = [s for s in (*pool, *gone) if s.updated >= since]
    elif deleted:
        pool = list(world.deleted.values())
    if not everyone:
        pool = [s for s in pool if s.project_id == token.project.id]
    for check in _checks(cloud.options.host_filter):
        pool = [server for server in pool if check(server)]
    return [server for server in pool if world.answers(server.host)]


def _flag(name: str) -> bool | None:
    """Read a filter that is true or false, None where it is not given."""
    given = request.args.get(name)
    return None if given is None else given.lower() in ("1", "t", "true", "on", "y", "yes")


def _checks(host_filter: bool) -> list[Callable[[Server], bool]]:
    fields = {"status": "status", "vm_state": "vm_state", "task_state": "task_state", "uuid": "id"}
    if g.token.is_admin:  # Nova ignores these for others
        fields |= {"host": "host", "node": "hypervisor_hostname"} if host_filter else {}
        fields |= {"project_id": "project_id", "tenant_id": "project_id"}
    checks = [
        _equals(field, value.upper() if name == "status" else value)
        for name, field in fields.items()
        if (value := request.args.get(name)) is not None
    ]
    if (pattern := request.args.get("name")) is not None:
        checks.append(lambda server: re.search(pattern, server.name) is not None)
    if "vm_state" not in request.args and "status" not in request.args:
        checks.append(lambda server: server.vm_state != "soft-delete")
    if g.version >= (2, 73) and (locked := _flag("locked")) is not None:
        checks.append(lambda server: (server.locked_by is not None) == locked)
    return checks


def _equals(field: str, value: str) -> Callable[[Server], bool]:
    return lambda server: getattr(server, field) == value
