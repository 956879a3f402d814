"""How a server leaves its host: what Nova accepts, and the records that it writes of it."""

from dataclasses import replace
from datetime import datetime

from instance_ha_simulator.cloud import actions
from instance_ha_simulator.cloud.controllers import Cast
from instance_ha_simulator.cloud.errors import bad_request, not_found
from instance_ha_simulator.cloud.evacuation import Evacuation
from instance_ha_simulator.cloud.identity import Token
from instance_ha_simulator.cloud.model import Course, EvacuationRequest, Migration, Server
from instance_ha_simulator.cloud.world import World

_EVACUABLE = ("active", "stopped", "error")


def evacuate(
    world: World, known: dict[str, Evacuation], server: Server, by: Token, wanted: str | None, stopped_after: bool
) -> None:
    """Accept an evacuation or refuse it; `known` holds the last one of each server."""
    if server.vm_state not in _EVACUABLE:
        raise actions.wrong_state("evacuate", server, "vm_state", server.vm_state)
    host = world.hosts[server.host]
    if world.is_up(host):
        up_for = (world.now - host.started_at).total_seconds()
        world.history.refused.append(replace(_request(world, server, by, wanted, known), alive_for=up_for))
        raise bad_request(f"Compute service of {server.host} is still in use.")
    course = world.next_course(server) or Course(server.name)
    if course.fails == "refused":
        raise bad_request("The evacuation is refused.")
    before = known.get(server.id)
    world.evacuation_requests.append(_request(world, server, by, wanted, known))
    made = world.record(server, "evacuation", wanted, by.user.id, by.project.id if by.project else "")
    server.task_state, server.updated = "rebuilding", world.now
    if before is not None and before.in_flight:
        before.spoilt = True  # the second record stays "accepted" until the source host is back
        return
    if world.casts_to_lose:
        world.casts_to_lose -= 1
        return
    stopped = server.vm_state == "stopped" or (stopped_after and server.vm_state == "active")
    cast = Cast(world.now, server, made, wanted, stopped, course)
    if world.controllers.stopped:
        world.controllers.waiting.append(cast)
    else:
        carry_out(world, known, cast)


def carry_out(world: World, known: dict[str, Evacuation], cast: Cast) -> None:
    """Begin an evacuation, as the conductor does when a cast has reached it, however late."""
    server = cast.server
    before = known.get(server.id)
    if before is not None and before.in_flight:
        before.spoilt = True
        return
    # The conductor takes the server's first accepted record for that of the request.
    first = next((m for m in world.migrations if m.instance_uuid == server.id and m.is_accepted), cast.record)
    known[server.id] = Evacuation(world, server, first, cast.wanted, cast.stopped_after, cast.course)
    known[server.id].begin(world.now)


def _request(
    world: World, server: Server, by: Token, wanted: str | None, known: dict[str, Evacuation]
) -> EvacuationRequest:
    before, host = known.get(server.id), world.hosts[server.host]
    lives = host.alive or host.guests_run
    return EvacuationRequest(
        world.now,
        server.id,
        server.host,
        wanted,
        by.user.id,
        source_alive=lives,
        overlapping=before is not None and before.in_flight,
        alive_for=(world.now - host.started_at).total_seconds() if lives else 0.0,
        cut_off=lives and not host.alive,
    )


def live_migrate(world: World, server: Server, to: str, status: str) -> None:
    """Have a live migration under way, or refuse it; its end comes from outside."""
    if server.vm_state not in ("active", "paused"):
        raise actions.wrong_state("os-migrateLive", server, "vm_state", server.vm_state)
    if server.task_state is not None:
        raise actions.wrong_state("os-migrateLive", server, "task_state", server.task_state)
    for name in (server.host, to):
        if not world.is_up(world.hosts[name]):
            raise bad_request(f"Compute service of {name} is unavailable at this time.")
    server.task_state, server.updated = "migrating", world.now
    world.record(server, "live-migration", to, server.user_id, server.project_id, status)
    world.load[to] += server.size


def switch_live_migration(world: World, server: Server) -> None:
    """Let the guest go on at the destination, which Nova does not know yet: the record says so only at the end."""
    record = _live_migration(world, server)
    if record.status == "running" and _both_live(world, record):
        world.history.power(server.id, record.source_compute, world.now, 0)
        world.history.power(server.id, record.dest_compute or "", world.now, server.power_state)


def end_live_migration(world: World, server: Server, status: str) -> None:
    """End the last one: `completed` has moved the server, anything else has not."""
    record = _live_migration(world, server)
    if record.status != "running" or (status == "completed" and not _both_live(world, record)):
        return  # it has ended, or nobody is there to end it
    record.become(world.now, status)
    server.task_state, server.updated = None, world.now
    if status == "completed":
        world.history.power(server.id, server.host, world.now, 0)
        world.move(server, record.dest_compute, record.dest_node)
        world.history.power(server.id, server.host, world.now, server.power_state)
    else:
        world.load[record.dest_compute or ""] -= server.size


def _both_live(world: World, record: Migration) -> bool:
    return all(world.hosts[name or ""].alive for name in (record.source_compute, record.dest_compute))


def _live_migration(world: World, server: Server) -> Migration:
    """Return the last one, or answer that there is none."""
    kind = "live-migration"
    ours = [m for m in world.migrations if m.instance_uuid == server.id and m.migration_type == kind]
    if not ours:
        raise not_found(f"Migration of instance {server.id} could not be found.")
    return ours[-1]


def resize(world: World, server: Server, to: str, seconds: float) -> None:
    """Move a server to another host, where its owner can confirm the new size; a host that dies meanwhile stops it."""
    made = world.record(server, "resize", to, server.user_id, server.project_id, "migrating")
    server.task_state, server.updated = "resize_migrating", world.now
    world.load[to] += server.size

    def done(at: datetime) -> None:
        if server.id not in world.servers:
            world.load[to] -= server.size
        elif world.hosts[server.host].alive and world.hosts[to].alive and server.task_state == "resize_migrating":
            world.history.power(server.id, server.host, at, 0)
            power_state = server.power_state
            world.move(server, made.dest_compute, made.dest_node)
            made.become(at, "finished")
            server.become(at, "resized", power_state=power_state)
            world.history.power(server.id, server.host, at, power_state)
            world.history.asked(server.id, "resize", at, alive=True)

    world.timeline.at(world.now, seconds, done)
