"""How a server leaves its host: what Nova accepts, and the records that it writes of it."""

from instance_ha_simulator.cloud import actions
from instance_ha_simulator.cloud.errors import bad_request
from instance_ha_simulator.cloud.evacuation import Evacuation
from instance_ha_simulator.cloud.identity import Token
from instance_ha_simulator.cloud.model import Course, EvacuationRequest, Server
from instance_ha_simulator.cloud.world import World

_EVACUABLE = ("active", "stopped", "error")


def evacuate(
    world: World, known: dict[str, Evacuation], server: Server, by: Token, wanted: str | None, stopped_after: bool
) -> None:
    """Accept an evacuation or refuse it; `known` holds the last one of each server."""
    if server.vm_state not in _EVACUABLE:
        raise actions.wrong_state("evacuate", server, "vm_state", server.vm_state)
    if world.is_up(world.hosts[server.host]):
        raise bad_request(f"Compute service of {server.host} is still in use.")
    course = world.next_course(server) or Course(server.name)
    if course.fails == "refused":
        raise bad_request("The evacuation is refused.")
    before = known.get(server.id)
    under_way = before is not None and before.in_flight
    alive = world.hosts[server.host].alive
    world.evacuation_requests.append(
        EvacuationRequest(world.now, server.id, server.host, wanted, by.user.id, alive, under_way)
    )
    older = next((m for m in world.migrations if m.instance_uuid == server.id and m.is_accepted), None)
    made = world.record(server, "evacuation", wanted, by.user.id, by.project.id if by.project else "")
    server.task_state, server.updated = "rebuilding", world.now
    if before is not None and under_way:
        before.spoilt = True  # the second record stays "accepted" until the source host is back
        return
    if world.casts_to_lose:
        world.casts_to_lose -= 1
        return
    stopped = server.vm_state == "stopped" or (stopped_after and server.vm_state == "active")
    # The conductor takes the server's first accepted record for that of the request.
    known[server.id] = Evacuation(world, server, older or made, wanted, stopped, course)
    known[server.id].begin(world.now)


def live_migrate(world: World, server: Server, to: str, status: str) -> None:
    """Have a live migration under way; its end comes from outside."""
    server.task_state, server.updated = "migrating", world.now
    world.record(server, "live-migration", to, server.user_id, server.project_id, status)
    world.load[to] += 1


def end_live_migration(world: World, server: Server, status: str) -> None:
    """End the last one: `completed` has moved the server, anything else has not."""
    ours = [m for m in world.migrations if m.instance_uuid == server.id and m.migration_type == "live-migration"]
    ours[-1].become(world.now, status)
    server.task_state, server.updated = None, world.now
    if status == "completed":
        world.move(server, ours[-1].dest_compute, ours[-1].dest_node)
    else:
        world.load[ours[-1].dest_compute or ""] -= 1
