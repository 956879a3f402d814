"""What the API can do to a server, other than evacuate it."""

from datetime import datetime

from instance_ha_simulator.cloud.errors import ApiError, bad_request, conflict
from instance_ha_simulator.cloud.model import Server
from instance_ha_simulator.cloud.power_actions import POWER_ACTIONS
from instance_ha_simulator.cloud.world import World


def wrong_state(verb: str, server: Server, kind: str, value: str) -> ApiError:
    """Return the 409 of an action that the server's state does not allow."""
    return conflict(f"Cannot '{verb}' instance {server.id} while it is in {kind} {value}")


def power(world: World, server: Server, name: str) -> None:
    """Accept a power action; it ends when the server's nova-compute has done it."""
    action = POWER_ACTIONS[name]
    if server.vm_state not in action.allowed:
        raise wrong_state(action.verb, server, "vm_state", server.vm_state)
    if server.task_state is not None:
        raise wrong_state(action.verb, server, "task_state", server.task_state)
    server.task_state, server.updated = action.task, world.now

    def done(at: datetime) -> None:
        host = world.hosts[server.host]
        if server.task_state != action.task or server.id not in world.servers:
            return
        if not host.alive:
            host.waiting.append(done)
        else:
            server.become(at, action.result)
            world.history.power(server.id, server.host, at, server.power_state)

    stopping = action.result == "stopped"
    seconds = world.options.stop_seconds if stopping else world.options.start_seconds
    world.timeline.at(world.now, seconds, done)


def reset_state(world: World, server: Server, state: object) -> None:
    """Set vm_state by hand, and forget the task."""
    if state not in ("active", "error"):
        raise bad_request(
            f"Invalid input for field/attribute state. Value: {state}. {state!r} is not one of ['active', 'error']"
        )
    server.become(world.now, str(state), power_state=server.power_state)


def lock(world: World, server: Server, by_owner: bool, reason: str | None) -> None:
    """Lock a server; its owner cannot lock it again, so that the first reason stays."""
    if server.locked_by is not None and by_owner:
        return
    server.locked_by = "owner" if by_owner else "admin"
    server.locked_reason, server.updated = reason, world.now


def unlock(world: World, server: Server) -> None:
    """Unlock a server."""
    server.locked_by = server.locked_reason = None
    server.updated = world.now


def delete(world: World, server: Server) -> None:
    """Accept a deletion: at once if the host is down, else when its nova-compute has done it."""
    host = world.hosts[server.host]
    if not world.is_up(host):
        remove(world, server, world.now)
        return
    server.task_state, server.updated = "deleting", world.now

    def done(at: datetime) -> None:
        if server.id not in world.servers:
            return
        if host.alive:
            remove(world, server, at)
        else:
            host.waiting.append(done)

    world.timeline.at(world.now, world.options.stop_seconds, done)


def remove(world: World, server: Server, at: datetime) -> None:
    """Take a server out of the world."""
    world.deleted[server.id] = world.servers.pop(server.id)
    world.history.gone(server.id, at)
    world.load[server.host] -= server.size
    server.become(at, "deleted")
