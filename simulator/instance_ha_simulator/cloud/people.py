"""What people do in the cloud: owners to their servers, operators to servers and hosts; by Nova's rules for each."""

from instance_ha_simulator.cloud import actions, instance_actions, moves
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import conflict
from instance_ha_simulator.cloud.history import INTENDED
from instance_ha_simulator.cloud.instance_actions import By
from instance_ha_simulator.cloud.model import Server
from instance_ha_simulator.cloud.world import World

_OWNER = By("its-owner", "its-project")
_RESIZE_SECONDS = 4.0


def owner_acts(cloud: Cloud, server_id: str, action: str) -> None:
    """Let a server's owner ask for a power action; a locked server is refused to its owner."""
    with cloud.world() as world:
        server = _unlocked(world, server_id)
        actions.power(world, server, action)
        world.history.asked(server_id, action, world.now, alive=world.hosts[server.host].alive)
    instance_actions.note(cloud, server_id, action, _OWNER)


def owner_deletes(cloud: Cloud, server_id: str) -> None:
    """Let a server's owner delete it."""
    with cloud.world() as world:
        server = _unlocked(world, server_id)
        actions.delete(world, server)
        world.history.asked(server_id, "delete", world.now, alive=world.hosts[server.host].alive)


def owner_locks(cloud: Cloud, server_id: str) -> None:
    """Let a server's owner lock it; a lock that there is stays."""
    with cloud.world() as world:
        server = world.server(server_id)
        if server.locked_by is None:
            actions.lock(world, server, by_owner=True, reason="mine")
            world.history.locked[server_id] = world.now


def owner_unlocks(cloud: Cloud, server_id: str) -> None:
    """Let a server's owner remove their own lock; an operator's is refused to them."""
    with cloud.world() as world:
        server = world.server(server_id)
        if server.locked_by == "admin":
            raise conflict(f"Instance {server_id} is locked")
        actions.unlock(world, server)
        world.history.locked.pop(server_id, None)


def owner_resizes(cloud: Cloud, server_id: str) -> None:
    """Let a server's owner resize it: it goes to another host, when both hosts live until then."""
    with cloud.world() as world:
        server = _unlocked(world, server_id)
        if server.vm_state not in ("active", "stopped"):
            raise actions.wrong_state("resize", server, "vm_state", server.vm_state)
        if server.task_state is not None:
            raise actions.wrong_state("resize", server, "task_state", server.task_state)
        dest = world.pick_host(server, None)
        if dest is None:
            return  # its fault says so
        moves.resize(world, server, dest.name, _RESIZE_SECONDS)
    instance_actions.note(cloud, server_id, "resize", _OWNER)


def operator_locks(cloud: Cloud, server_id: str) -> None:
    """Lock a server over any lock that there is."""
    with cloud.world() as world:
        actions.lock(world, world.server(server_id), by_owner=False, reason="mine")
        world.history.locked[server_id] = world.now


def operator_resets(cloud: Cloud, server_id: str, state: str) -> None:
    """Do as `openstack server set --state` does."""
    with cloud.world() as world:
        actions.reset_state(world, world.server(server_id), state)
        world.history.meddled.add(server_id)


def operator_evacuates(cloud: Cloud, server_id: str) -> None:
    """Do as `openstack server evacuate` does, beside us."""
    admin = cloud.identity.users["admin"]
    with cloud.world() as world:
        token = cloud.identity.issue(admin, admin.project.id)
        server = world.server(server_id)
        # Two at once wreck it; so does one of a guest that a live migration has taken elsewhere.
        wrecked = cloud.is_evacuated(server_id) or world.history.runs_elsewhere(server_id, server.host)
        forgets = server.task_state in INTENDED  # Nova writes its own task over what an owner has asked for
        cloud.evacuate(server_id, token)
        if wrecked or forgets:
            world.history.meddled.add(server_id)


def operator_switches(cloud: Cloud, host: str, *, enabled: bool) -> None:
    """Do as `openstack compute service set` does."""
    with cloud.world() as world:
        found = world.hosts[host]
        found.enabled, found.disabled_reason, found.changed_at = enabled, None if enabled else "by hand", world.now


def _unlocked(world: World, server_id: str) -> Server:
    server = world.server(server_id)
    if server.locked_by is not None:
        raise conflict(f"Instance {server_id} is locked")
    return server
