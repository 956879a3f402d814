"""What must hold at the end of every scenario, whatever went wrong; looked up in the cloud's own history."""

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from instance_ha_simulator.cloud.model import EvacuationRequest
from instance_ha_simulator.play import Play


def broken(played: Play) -> list[str]:
    """Return a line for each promise that was not kept."""
    return [
        *_evacuations(played),
        *_fences(played),
        *_instances(played),
        *open_vmoves(played),
        *_events(played),
        *_at_the_end(played),
    ]


def our_requests(played: Play) -> Iterator[EvacuationRequest]:
    """Return the evacuations that our functions have asked for."""
    cloud = played.simulation.cloud
    us = cloud.identity.users["masakari"].id
    return (request for request in cloud.evacuation_requests if request.by == us)


def open_vmoves(played: Play) -> Iterator[str]:
    """Name what has not ended."""
    for move in played.tables.vmoves():
        if move["status"] not in {"succeeded", "failed", "ignored"}:
            yield f"the evacuation of {move['instance_name']} has not ended: {move['status']}"


def _evacuations(played: Play) -> Iterator[str]:
    cloud, world = played.simulation.cloud, played.scenario.world
    asked = Counter(request.server_id for request in cloud.evacuation_requests)
    most = 1 + world.get("asked_again", 0)
    for server_id, times in asked.items():
        if times > most:
            yield f"{played.names[server_id]} was evacuated {times} times, at most {most} are expected"
    for request in our_requests(played):
        if request.overlapping:
            yield f"{played.names[request.server_id]} was evacuated while an evacuation of it was under way"
        if request.source_alive and request.source not in world.get("fenced", []):
            yield f"{played.names[request.server_id]} was evacuated although its host {request.source} lives"


def _asks_for_fences(segment: dict[str, Any]) -> bool:
    return bool((segment.get("policy") or {}).get("fence", "never") != "never")


def _fences(played: Play) -> Iterator[str]:
    """No host is fenced in two ways at once, or where its segment does not say so."""
    fences, segments = played.simulation.fences, played.scenario.world["segments"].items()
    for host in fences.parallel:
        yield f"{host} was fenced in two ways at once"
    changes = [one["policy"] for one in played.scenario.world["happenings"] if "policy" in one]
    later = {one["segment"] for one in changes if one["change"].get("fence", "never") != "never"}
    fenced = [segment for name, segment in segments if _asks_for_fences(segment) or name in later]
    allowed = {host for segment in fenced for host in [*segment["hosts"], *segment.get("reserved", [])]}
    for host in {host for _, host, _ in fences.requests} - allowed:
        yield f"{host} was fenced although its segment does not say so"


def _instances(played: Play) -> Iterator[str]:
    world = played.scenario.world
    dead = {happening["kill_host"] for happening in world["happenings"] if "kill_host" in happening}
    if played.tables.returns():  # what has gone home is not forgotten
        dead -= {host.name for host in played.simulation.cloud.hosts() if host.alive}
    dead |= {host for _, host, _ in played.simulation.fences.requests if played.simulation.fences.is_off(host)}
    stay = world.get("stay", [])
    for server in played.simulation.cloud.servers():
        if server.host in dead and not any(fnmatchcase(server.name, name) for name in stay):
            yield f"{server.name} was forgotten on {server.host}"
        if (server.locked_reason or "").startswith("masakari"):
            yield f"{server.name} is left locked by a recovery"


def _events(played: Play) -> Iterator[str]:
    """Every event came at least once, and those about the same thing in their order; without sinks there are none."""
    sinks = played.simulation.settings.sinks
    if not sinks and (rows := len(played.tables.outbox())):
        yield f"{rows} events were written although nobody follows them"
    for sink in sinks:
        sent = [(row["subject"], row["event_id"]) for row in played.tables.outbox(sink.name) if row["state"] == "sent"]
        got = list(dict.fromkeys((event.subject, event.event_id) for event in played.simulation.sinks.of(sink.name)))
        if set(sent) != set(got):
            yield f"sink {sink.name} was sent {len(set(sent))} events and got {len(got)}"
        for about in {subject for subject, _ in sent}:
            if [event for subject, event in got if subject == about] != [
                event for subject, event in sent if subject == about
            ]:
                yield f"sink {sink.name} got the events about {about} in another order"


def _at_the_end(played: Play) -> Iterator[str]:
    for what, expected in played.scenario.world.get("at_the_end", {}).items():
        if (found := played.ends(what)) != expected:
            yield f"at the end, {what}: {found}, expected {expected}"
