"""Whether the way back keeps its word, by the cloud's own history."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from instance_ha_simulator.explorer.play import Exploration

_BY_HAND = ("enable_service", "disable_service")


def returns_end(played: Exploration) -> Iterator[str]:
    """Each return comes to an end, but one of the policy's whose host is not fit to serve."""
    with played.simulation.cloud.world() as world:
        alive = {host.name for host in world.hosts.values() if host.alive}
    for row in played.rows.returns:
        host = _host_of(played, row)
        if row["status"] == "running" or (row["status"] == "waiting" and row["actor"] is not None):
            yield f"the return of {host} is {row['status']} still: {row['message']}"
        elif row["status"] == "waiting" and not (row["message"] or "").startswith("waiting:") and host in alive:
            yield f"the return of {host} waits, and does not say for what"


def returned_hosts_serve(played: Exploration) -> Iterator[str]:
    """A host whose return has finished is enabled, not forced down, and off maintenance, if nothing came after."""
    last = {_host_of(played, row): row for row in played.rows.returns}
    with played.simulation.cloud.world() as world:
        for name, row in last.items():
            if row["status"] != "finished" or _something_came_after(played, name, row["ended_at"]):
                continue
            host = world.hosts[name]
            if host.disabled_reason is not None and not host.enabled and "disabled before" not in row["message"]:
                yield f"{name} has returned, and is disabled: {host.disabled_reason}"
            if host.forced_down:
                yield f"{name} has returned, and is forced down"
            if played.rows.hosts[name]["on_maintenance"]:
                yield f"{name} has returned, and is on maintenance"


def _something_came_after(played: Exploration, host: str, at: datetime) -> bool:
    reported = [played.callers.accepted[uuid] for uuid, about in played.callers.reports.items() if _names(about, host)]
    started = [begun for begun, about in played.started if about == host]
    by_hand = any(one.get(what) == host for one in played.scenario.world["happenings"] for what in _BY_HAND)
    return by_hand or any(moment >= at for moment in [*reported, *started])


def _names(about: Any, host: str) -> bool:
    return bool(about == host or (isinstance(about, dict) and about["host"] == host))


def moved_home_is_there(played: Exploration) -> Iterator[str]:
    """An instance of which we say that it went home has come there by then."""
    with played.simulation.cloud.world() as world:
        runs = list(world.history.runs)
    for move in played.rows.moves_home:
        if move["status"] == "succeeded" and not any(
            run.server_id == move["instance_uuid"] and run.host == move["dest_host"] and run.since <= move["end_time"]
            for run in runs
        ):
            yield f"{move['instance_name']} is said to have gone home to {move['dest_host']}, and never ran there"


def _host_of(played: Exploration, row: dict[str, Any]) -> str:
    return next(name for name, host in played.rows.hosts.items() if host["uuid"] == row["host_uuid"])
