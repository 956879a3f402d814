"""From Nova's JSON to our facts."""

from typing import Any

from instance_ha.models.cloud import ComputeService, Migration, PowerAction, Server

_POWER = frozenset({"start", "stop", "reboot"})


def service(body: dict[str, Any]) -> ComputeService:
    """Read an entry of ``/os-services``."""
    return ComputeService(
        id=body["id"],
        host=body["host"],
        up=body["state"] == "up",
        disabled=body["status"] == "disabled",
        forced_down=bool(body.get("forced_down")),
    )


def server(body: dict[str, Any]) -> Server:
    """Read a server as administrators see it."""
    fault = body.get("fault") or {}
    return Server(
        id=body["id"],
        name=body["name"],
        host=body.get("OS-EXT-SRV-ATTR:host"),
        vm_state=body["OS-EXT-STS:vm_state"],
        task_state=body.get("OS-EXT-STS:task_state"),
        power_state=body.get("OS-EXT-STS:power_state", 0),
        locked=bool(body.get("locked")),
        locked_reason=body.get("locked_reason"),
        fault=fault.get("message"),
        metadata=body.get("metadata") or {},
    )


def migration(body: dict[str, Any]) -> Migration:
    """Read an entry of ``/os-migrations``."""
    return Migration(
        id=body["id"],
        server_id=body["instance_uuid"],
        status=body["status"],
        dest_host=body.get("dest_compute"),
    )


def power_action(actions: list[dict[str, Any]], ours: str | None) -> PowerAction | None:
    """Find the newest action on the power in ``os-instance-actions`` (newest first); ``ours`` is our user's id."""
    for action in actions:
        if action["action"] in _POWER:
            by = action["user_id"]
            return PowerAction(name=action["action"], foreign=None not in (by, ours) and by != ours)
    return None
