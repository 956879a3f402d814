"""What Nova remembers of who did what to a server (os-instance-actions)."""

from dataclasses import dataclass
from uuid import uuid4

from flask import Blueprint, Response, g, jsonify

from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.model import InstanceAction
from instance_ha_simulator.cloud.views import Json, iso

_NAMES = {"os-stop": "stop", "os-start": "start"}
_UNRECORDED = frozenset({"os-resetState"})


@dataclass(frozen=True)
class By:
    """Who acts; Nova itself (as its power sync does) has no user."""

    user_id: str | None
    project_id: str | None


def note(cloud: Cloud, server_id: str, name: str, by: By) -> None:
    """Remember that an action was accepted."""
    if name in _UNRECORDED:
        return
    with cloud.world() as world:
        action = InstanceAction(world.now, _NAMES.get(name, name), f"req-{uuid4()}", by.user_id, by.project_id)
        world.instance_actions.setdefault(server_id, []).append(action)


def register(api: Blueprint, cloud: Cloud) -> None:
    """Add the route."""

    @api.get("/servers/<server_id>/os-instance-actions")
    def list_actions(server_id: str) -> Response:
        with cloud.world() as world:
            world.server(server_id)
            done = reversed(world.instance_actions.get(server_id, []))
            return jsonify(instanceActions=[_view(server_id, action) for action in done])


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
