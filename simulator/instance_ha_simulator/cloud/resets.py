"""What the reset of a host leaves behind: its guests are off, and Nova's power sync takes them for stopped."""

from datetime import datetime

from instance_ha_simulator.cloud.model import Host, Server
from instance_ha_simulator.cloud.world import World

_SYNCED = ("active", "paused")  # what Nova stops when it finds the guest shut off


def boot(world: World, host: Host, at: datetime, left: set[str]) -> None:
    """Have a host booted at a time: its guests are started where it is told to, but for those that have left it.

    Else its nova-compute finds a little later which guests are off.
    """
    host.booted_at = at
    there = [server for server in world.servers.values() if server.host == host.name]
    if world.options.resume_guests:
        for server in there:
            stays_off = server.id in left or world.history.runs_elsewhere(server.id, host.name)
            if server.vm_state == "active" and not stays_off:
                world.history.power(server.id, server.host, at, server.power_state)
        return
    off = [server.id for server in there]

    def sync(later: datetime) -> None:
        if host.alive and host.booted_at == at:
            for server_id in off:
                _sync(world, host, server_id, at, later)

    world.timeline.at(at, world.options.sync_power_seconds, sync)


def _sync(world: World, host: Host, server_id: str, booted_at: datetime, at: datetime) -> None:
    server, done = world.servers.get(server_id), world.instance_actions.get(server_id, [])
    if server is None or server.host != host.name or server.task_state is not None:
        return
    if server.vm_state in _SYNCED and not any(action.time > booted_at for action in done):
        stop_by_nova(world, server, at)


def stop_by_nova(world: World, server: Server, at: datetime) -> None:
    """Have Nova stop a server whose guest it finds shut off."""
    server.become(at, "stopped")
    world.history.power(server.id, server.host, at, server.power_state)
    world.note(server.id, "stop")
