"""The simulated cloud in the hands of its owner: what demos and tests call to make things happen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from instance_ha_simulator.cloud import actions, compute, moves, resets
from instance_ha_simulator.cloud.errors import bad_request, not_found
from instance_ha_simulator.cloud.history import INTENDED, Wanted
from instance_ha_simulator.cloud.identity import Token
from instance_ha_simulator.cloud.model import (
    Host,
    OldService,
    Server,
    ServerGroup,
)
from instance_ha_simulator.cloud.state import CloudState
from instance_ha_simulator.cloud.world import World

_DONE_BY_OWNERS = {"paused": "pause", "stopped": "stop"}  # what their owners have done to instances that boot so


class Cloud(CloudState):
    """A cloud in memory, and what is done to it."""

    def add_host(
        self,
        name: str,
        zone: str = "nova",
        capacity: int | None = None,
        cell: str = "cell1",
        old_service_in: str | None = None,
    ) -> None:
        """Add a compute host whose nova-compute reports from now on; Nova may have a record of before in a cell."""
        with self.world() as world:
            fqdn = f"{name}.{self.options.domain}" if self.options.domain else name
            capacity = self.options.capacity if capacity is None else capacity
            number = len(world.hosts) + 3
            ids = str(uuid4()), str(uuid4())
            host = Host(name, number, *ids, fqdn, zone, capacity, world.now, world.now, cell)
            if old_service_in is not None:
                host.old_service = OldService(str(uuid4()), old_service_in, world.now - timedelta(days=365))
            world.hosts[name] = host

    def boot(
        self,
        host: str,
        servers: int | Sequence[str] = 1,
        *,
        metadata: dict[str, str] | None = None,
        vm_state: str = "active",
        task_state: str | None = None,
        power_state: int | None = None,
        project_id: str | None = None,
        zone: str | None = None,
        on_volume: bool = False,
        size: int = 1,
        device: bool = False,
    ) -> list[Server]:
        """Have servers on a host at once: so many, or with these names; `zone` is one they insist on.

        The capacity of a host is how much `size` it holds in all; a server with a `device` has a virtual GPU.
        """
        names = [f"vm-{uuid4().hex[:8]}" for _ in range(servers)] if isinstance(servers, int) else servers
        owner = self.identity.users["demo"]
        with self.world() as world:
            if host not in world.hosts:
                raise not_found(f"Compute host {host} could not be found.")
            booted = []
            for name in names:
                world.server_count += 1
                server = Server(
                    id=str(uuid4()),
                    name=name,
                    host=host,
                    hypervisor_hostname=world.hosts[host].hypervisor_hostname,
                    project_id=project_id or owner.project.id,
                    user_id=owner.id,
                    created=world.now,
                    updated=world.now,
                    number=world.server_count,
                    metadata=dict(metadata or {}),
                    requested_zone=zone,
                    on_volume=on_volume,
                    size=size,
                    has_device=device,
                )
                server.become(world.now, vm_state, task_state, power_state)
                if vm_state in _DONE_BY_OWNERS:
                    world.note(server.id, _DONE_BY_OWNERS[vm_state], server.user_id, server.project_id)
                world.servers[server.id] = server
                world.load[host] += size
                world.history.power(server.id, host, world.now, server.power_state)
                world.history.wanted[server.id] = Wanted(INTENDED.get(task_state or "", vm_state), world.now)
                booted.append(replace(server))
            return booted

    def keep_apart(self, names: Sequence[str]) -> None:
        """Put servers into a server group whose members must be on different hosts."""
        with self.world() as world:
            members = [server.id for server in world.servers.values() if server.name in names]
            project = self.identity.users["demo"].project.id
            world.groups.append(ServerGroup(str(uuid4()), f"group-{len(world.groups)}", project, members))

    def kill_host(self, name: str) -> None:
        """Let a host die: its nova-compute reports no more."""
        with self.world() as world:
            host = self._host(world, name)
            if host.alive or host.guests_run:
                there = tuple(server.id for server in world.servers.values() if server.host == name)
                world.history.died(name, world.now, there)
            compute.silence(world, host, guests_run=False)
            for evacuation in self._evacuations.values():
                evacuation.lose_destination(name)

    def stop_compute(self, name: str) -> None:
        """Let a host's nova-compute stop, or lose its way to Nova; its guests run on."""
        with self.world() as world:
            host = self._host(world, name)
            compute.silence(world, host, guests_run=host.alive or host.guests_run)

    def start_host(self, name: str) -> None:
        """Let a host come back; after `startup_seconds` its nova-compute is there."""
        with self.world() as world:
            compute.start(world, self._host(world, name))

    def evacuate(self, server_id: str, by: Token, wanted: str | None = None, stopped_after: bool = False) -> None:
        """Accept an evacuation as Nova does, or refuse it. Nova does not look at task_state here."""
        with self.world() as world:
            server = world.server(server_id)
            if wanted is not None and wanted not in world.hosts:
                raise not_found(f"Compute host {wanted} not found.")
            if wanted == server.host:
                raise bad_request("The target host can't be the same one.")
            moves.evacuate(world, self._evacuations, server, by, wanted, stopped_after)

    def is_evacuated(self, server_id: str) -> bool:
        """Say whether an evacuation of a server is under way."""
        with self.world():
            return server_id in self._evacuations and self._evacuations[server_id].in_flight

    def live_migrate(self, server_id: str, to: str, status: str = "running") -> None:
        """Have a live migration under way, which does not end by itself."""
        with self.world() as world:
            moves.live_migrate(world, world.server(server_id), to, status)

    def switch_live_migration(self, server_id: str) -> None:
        """Let the guest of one that is under way go on at the destination; Nova still shows the old host."""
        with self.world() as world:
            moves.switch_live_migration(world, world.server(server_id))

    def end_live_migration(self, server_id: str, status: str) -> None:
        """Let it end: `completed` has moved the server, anything else has not."""
        with self.world() as world:
            moves.end_live_migration(world, world.server(server_id), status)

    def lose_casts(self, count: int) -> None:
        """Let the next evacuations get no further than their records."""
        with self.world() as world:
            world.casts_to_lose += count

    def set_cell(self, name: str, *, answers: bool) -> None:
        """Let a cell's database stop answering, or answer again."""
        with self.world() as world:
            (world.down_cells.discard if answers else world.down_cells.add)(name)

    def set_controller(self, name: str, *, reports: bool) -> None:
        """Let a service of the controller stop, or start again."""
        with self.world() as world:
            if not reports:
                world.controllers.stop(name, world.now)
                return
            for cast in world.controllers.start(name, world.now):
                moves.carry_out(world, self._evacuations, cast)

    def set_capacity(self, host: str, capacity: int | None) -> None:
        """Change how many servers a host can hold."""
        with self.world() as world:
            self._host(world, host).capacity = capacity

    def ask_to_delete(self, server_id: str) -> None:
        """Delete a server as its owner does: its nova-compute does it, when it can."""
        with self.world() as world:
            actions.delete(world, world.server(server_id))

    def set_server(
        self,
        server_id: str,
        vm_state: str,
        task_state: str | None = None,
        power_state: int | None = None,
    ) -> None:
        """Put a server into a state by hand."""
        with self.world() as world:
            world.server(server_id).become(world.now, vm_state, task_state, power_state)

    def shut_guest_down(self, server_id: str) -> None:
        """Shut a guest down from inside: Nova takes it for stopped."""
        with self.world() as world:
            resets.stop_by_nova(world, world.server(server_id), world.now)

    def touch_servers(self, host: str) -> None:
        """Have all servers on a host change now, as their owners' work does."""
        with self.world() as world:
            for server in world.servers.values():
                if server.host == host:
                    server.updated = world.now

    def delete_server(self, server_id: str) -> None:
        """Delete a server at once."""
        with self.world() as world:
            actions.remove(world, world.server(server_id), world.now)

    @staticmethod
    def _host(world: World, name: str) -> Host:
        try:
            return world.hosts[name]
        except KeyError:
            raise not_found(f"Compute host {name} could not be found.") from None
