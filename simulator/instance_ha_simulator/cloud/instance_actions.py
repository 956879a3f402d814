"""What Nova remembers of who did what to a server (os-instance-actions)."""

from dataclasses import dataclass

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud import paging
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError
from instance_ha_simulator.cloud.model import InstanceAction
from instance_ha_simulator.cloud.views import Json, iso

_NAMES = {"os-stop": "stop", "os-start": "start", "reboot-hard": "reboot", "reboot-soft": "reboot"}
_UNRECORDED = frozenset({"os-resetState"})


@dataclass(frozen=True)
class By:
    """Who acts."""

    user_id: str
    project_id: str | None


def note(cloud: Cloud, server_id: str, name: str, by: By) -> None:
    """Remember that an action was accepted."""
    if name in _UNRECORDED:
        return
    with cloud.world() as world:
        world.note(server_id, _NAMES.get(name, name), by.user_id, by.project_id)


def register(api: Blueprint, cloud: Cloud) -> None:
    """Add the route."""

    @api.get("/servers/<server_id>/os-instance-actions")
    def list_actions(server_id: str) -> Response:
        with cloud.world() as world:
            if not world.answers(world.server(server_id).host):
                raise ApiError(
                    500, "Cell is not responding or returned an exception, hence instance info is not available."
                )
            done = list(reversed(world.instance_actions.get(server_id, [])))
            if g.version < (2, 58):
                return jsonify(instanceActions=[_view(server_id, action) for action in done])
            args, most = request.args, cloud.options.max_limit
            marker = args.get("marker")
            page = paging.after(done, marker, lambda a: a.request_id, f"Marker {marker} could not be found.")
            page = page[: paging.limit(args, most)]
            body: Json = {"instanceActions": [_view(server_id, action) for action in page]}
        url = f"{request.host_url}compute/v2.1/servers/{server_id}/os-instance-actions"
        if links := paging.next_link(url, args, page, most, lambda: page[-1].request_id):
            body["links"] = links
        return jsonify(body)


def _view(server_id: str, action: InstanceAction) -> Json:
    view: Json = {
        "action": action.name,
        "instance_uuid": server_id,
        "message": None,
        "project_id": action.project_id,
        "request_id": action.request_id,
        "start_time": iso(action.time),
        "user_id": action.user_id,
    }
    return view | ({"updated_at": iso(action.time)} if g.version >= (2, 58) else {})
