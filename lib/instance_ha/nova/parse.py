"""From Nova's JSON to our facts."""

from datetime import datetime
from typing import Any

from instance_ha.models.cloud import (
    Aggregate,
    ComputeService,
    Migration,
    PowerAction,
    Server,
    ServerGroup,
    ServiceState,
)
from instance_ha.models.errors import CloudUnavailable
from instance_ha.models.text import utc

_POWER = frozenset({"start", "stop", "reboot"})
_PAUSE = frozenset({"pause", "unpause"})


def service(body: dict[str, Any]) -> ComputeService:
    """Read an entry of ``/os-services``; raises CloudUnavailable when Nova could not ask the host's cell."""
    if "id" not in body:
        raise CloudUnavailable(f"the cell of host {body['host']} does not answer, so Nova does not know its service")
    return ComputeService(
        id=body["id"],
        host=body["host"],
        up=body["state"] == "up",
        disabled=body["status"] == "disabled",
        disabled_reason=body.get("disabled_reason"),
        forced_down=bool(body.get("forced_down")),
        updated_at=_time(body.get("updated_at")),
    )


def service_state(body: dict[str, Any]) -> ServiceState:
    """Read no more of an entry of ``/os-services`` than every entry has."""
    state = body.get("state")
    return ServiceState(binary=body["binary"], host=body["host"], up=None if state is None else state == "up")


def server(body: dict[str, Any]) -> Server:
    """Read a server as administrators see it.

    Raises:
        CloudUnavailable: its cell does not answer, so that Nova knows only its id and owner; or Nova does not show its
            host to us.

    """
    if "OS-EXT-STS:vm_state" not in body:
        raise CloudUnavailable(f"the cell of instance {body['id']} does not answer, so Nova does not know its state")
    if "OS-EXT-SRV-ATTR:host" not in body:
        raise CloudUnavailable("Nova's policy does not let us see on which host an instance is")
    fault, flavor = body.get("fault") or {}, body.get("flavor") or {}
    return Server(
        id=body["id"],
        name=body["name"],
        host=body["OS-EXT-SRV-ATTR:host"],
        vm_state=body["OS-EXT-STS:vm_state"],
        task_state=body.get("OS-EXT-STS:task_state"),
        power_state=body.get("OS-EXT-STS:power_state", 0),
        locked=bool(body.get("locked")),
        locked_reason=body.get("locked_reason"),
        fault=fault.get("message"),
        on_volume=body.get("image") == "",
        metadata=body.get("metadata") or {},
        extra_specs=flavor.get("extra_specs") or {},
        shows_extra_specs="extra_specs" in flavor,
        project=body.get("tenant_id", ""),
        zone=body.get("OS-EXT-AZ:availability_zone"),
    )


def _time(text: str | None) -> datetime | None:
    """Read a time; Nova writes it without a zone."""
    return utc(text) if text else None


def aggregate(body: dict[str, Any]) -> Aggregate:
    """Read an entry of ``/os-aggregates``."""
    return Aggregate(
        id=body["id"],
        name=body["name"],
        hosts=frozenset(body["hosts"]),
        zone=body.get("availability_zone"),
        metadata=body.get("metadata") or {},
    )


def server_group(body: dict[str, Any]) -> ServerGroup:
    """Read an entry of ``/os-server-groups``."""
    return ServerGroup(id=body["id"], policy=body["policy"], members=frozenset(body["members"]))


def migration(body: dict[str, Any]) -> Migration:
    """Read an entry of ``/os-migrations``."""
    return Migration(
        id=body["id"],
        server_id=body["instance_uuid"],
        kind=body["migration_type"],
        status=body["status"],
        source_host=body["source_compute"],
        dest_host=body.get("dest_compute"),
        created_at=_time(body.get("created_at")),
    )


def power_action(actions: list[dict[str, Any]], ours: str | None) -> PowerAction | None:
    """Find the newest action on the power in ``os-instance-actions`` (newest first); ``ours`` is our user's id."""
    for position, action in enumerate(actions):
        if action["action"] in _POWER:
            earlier = (one for one in actions[position + 1 :] if one["action"] in _POWER | _PAUSE)
            before = next(earlier, None)
            return _action(action, ours, None if before is None else _action(before, ours))
    return None


def _action(body: dict[str, Any], ours: str | None, before: PowerAction | None = None) -> PowerAction:
    user = body["user_id"]
    return PowerAction(
        name=body["action"],
        request_id=body["request_id"],
        foreign=user not in (None, ours),
        by_nova=user is None,
        at=_time(body.get("start_time")),
        before=before,
    )
