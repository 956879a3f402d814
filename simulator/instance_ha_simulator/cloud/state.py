"""The simulated cloud as it is at a moment: its world, and copies of what is in it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import RLock
from uuid import uuid4

from instance_ha_simulator.cloud.clock import Clock
from instance_ha_simulator.cloud.evacuation import Evacuation
from instance_ha_simulator.cloud.faults import Faults
from instance_ha_simulator.cloud.identity import Identity
from instance_ha_simulator.cloud.model import Aggregate, CloudOptions, EvacuationRequest, Host, Migration, Server
from instance_ha_simulator.cloud.replica import Replica
from instance_ha_simulator.cloud.timeline import Timeline
from instance_ha_simulator.cloud.world import World


class CloudState:
    """A cloud in memory, safe for threads.

    Nothing runs in the background: each question lets all happen that is due by then.
    """

    def __init__(self, clock: Clock, options: CloudOptions | None = None) -> None:
        self.begin_again(clock, options)

    def begin_again(self, clock: Clock, options: CloudOptions | None = None) -> None:
        """Be another cloud from now on; its web application, which is dear to make, stays the same."""
        self.clock = clock
        self.options = options or CloudOptions()
        self.instance_ha_url = self.options.instance_ha_url
        self.identity = Identity(clock, self.options.token_lifetime)
        self.faults = Faults()
        self.requests: Counter[tuple[str, str]] = Counter()  # by method and route
        self.controllers = {name: str(uuid4()) for name in ("nova-scheduler", "nova-conductor")}
        replica = Replica(timedelta(seconds=self.options.list_lag)) if self.options.list_lag else None
        self._world = World(self.options, Timeline(clock.now()), replica=replica)
        self._evacuations: dict[str, Evacuation] = {}
        self._lock = RLock()

    @contextmanager
    def world(self) -> Iterator[World]:
        """Hold the lock on a world that is up to date. Never sleep in it."""
        with self._lock:
            self._world.run_until(self.clock.now())
            yield self._world
            self._world.copy()

    def servers(self) -> list[Server]:
        """Return copies of the servers as they are now."""
        with self.world() as world:
            return [replace(server) for server in world.servers.values()]

    def server(self, server_id: str) -> Server:
        """Return a copy of one server as it is now."""
        with self.world() as world:
            return replace(world.server(server_id))

    def services(self) -> dict[str, str]:
        """Return each host's service state, "up" or "down"."""
        with self.world() as world:
            return {host.name: "up" if world.is_up(host) else "down" for host in world.hosts.values()}

    def hosts(self) -> list[Host]:
        """Return copies of the hosts as they are now."""
        with self.world() as world:
            return [replace(host) for host in world.hosts.values()]

    def migrations(self) -> list[Migration]:
        """Return copies of the migration records as they are now."""
        with self.world() as world:
            return [replace(migration) for migration in world.migrations]

    def aggregates(self) -> list[Aggregate]:
        """Return copies of the aggregates."""
        with self.world() as world:
            return [replace(a, hosts=list(a.hosts)) for a in world.aggregates.values()]

    @property
    def evacuation_requests(self) -> list[EvacuationRequest]:
        """Every evacuation that was accepted, oldest first."""
        with self.world() as world:
            return list(world.evacuation_requests)
