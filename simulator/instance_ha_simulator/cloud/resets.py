"""What the reset of a host leaves behind: its guests are off, and Nova's power sync takes them for stopped."""

from datetime import datetime
from uuid import uuid4

from instance_ha_simulator.cloud.model import Host, InstanceAction, Server
from instance_ha_simulator.cloud.world import World

_SYNCED = ("active", "paused")  # what Nova stops when it finds the guest shut off


def boot(world: World, host: Host, at: datetime) -> None:
    """Have a host booted at a time; a little later its nova-compute finds which guests are off."""
    host.booted_at = at
    off = [server.id for server in world.servers.values() if server.host == host.name]
    if world.options.resume_guests:
        return

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
    note(world, server, "stop", None)


def note(world: World, server: Server, name: str, user_id: str | None) -> None:
    """Remember who did what to a server; Nova itself has no user."""
    project_id = server.project_id if user_id else None
    action = InstanceAction(world.now, name, f"req-{uuid4()}", user_id, project_id)
    world.instance_actions.setdefault(server.id, []).append(action)
