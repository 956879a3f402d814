"""An evacuation from its acceptance to its end, step by step as Nova does it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from instance_ha_simulator.cloud.model import Course, Fault, Host, Migration, Server
from instance_ha_simulator.cloud.world import World

NO_VALID_HOST = "No valid host was found. There are not enough hosts available."
# Why a destination refuses a server, which leaves it as it was, and why it fails to bring it up, which does not.
_REFUSED = {
    "claim": "Insufficient compute resources: Free memory 0.00 MB < requested 64 MB.",
    "pci": "Insufficient compute resources: Claim pci failed.",
    "group": "Anti-affinity instance group policy was violated.",
}
_BROKEN = {
    "spawn": "Binding failed for port, please check neutron logs for more information.",
    "volume": "Volume could not be attached: the connector answered nothing.",
}
_CLAIM, _SPAWN, _SPAWNED, _SETTLED = 0.15, 0.4, 0.8, 0.9  # parts of evacuate_seconds
Step = Callable[[datetime], None]


@dataclass
class Evacuation:
    """One evacuation under way."""

    world: World
    server: Server
    migration: Migration
    wanted_host: str | None
    stopped_after: bool
    course: Course
    spoilt: bool = False  # Nova accepted a second evacuation of the same server meanwhile
    in_flight: bool = True
    claimed: bool = False

    def begin(self, at: datetime) -> None:
        """Set the course of events."""
        usual = self.world.options.evacuate_seconds
        total = usual if self.course.seconds is None else self.course.seconds
        steps: list[tuple[float, Step]] = [
            (_CLAIM, self._claim),
            (_SPAWN, self._spawn),
            (_SPAWNED, self._spawned),
            (_SETTLED, self._settled),
            (1.0, self._done),
        ]
        for share, step in steps:
            self.world.timeline.at(at, total * share, self._guarded(step))

    def _guarded(self, step: Step) -> Step:
        def run(at: datetime) -> None:
            if not self.in_flight:
                return
            if self.server.id not in self.world.servers:
                self._drop()
            elif self.claimed and not self.world.hosts[self.migration.dest_compute or ""].alive:
                self.in_flight = False
            else:
                step(at)

        return run

    def lose_destination(self, host: str) -> None:
        """End for ever when the host that takes the server dies; the records stay as they are."""
        if self.claimed and self.migration.dest_compute == host:
            self.in_flight = False

    def _drop(self) -> None:
        self.in_flight = False
        if self.claimed and self.migration.dest_compute:
            self.world.load[self.migration.dest_compute] -= self.server.size

    def _claim(self, at: datetime) -> None:
        dest = self._destination()
        if dest is None:
            self.in_flight = False
            self.migration.become(at, "error")
            self.server.become(at, "error", power_state=self.server.power_state)
            self.server.fault = Fault(at, NO_VALID_HOST)
            return
        self.migration.dest_compute, self.migration.dest_node = dest.name, dest.hypervisor_hostname
        self.migration.become(at, "pre-migrating")
        self.world.load[dest.name] += self.server.size
        self.claimed, self.in_flight = True, dest.alive  # what is sent to a host that is dead already nobody hears
        cause = "claim" if dest.name in self.world.options.claim_fails_on else self.course.fails
        if self.in_flight and cause in _REFUSED:
            self._fail(at, self.server.vm_state, _REFUSED[cause])

    def _destination(self) -> Host | None:
        if self.course.fails == "no-valid-host":
            return None
        course = self.course.to and self.world.pick_host(self.server, self.wanted_host or self.course.to)
        return course or self.world.pick_host(self.server, self.wanted_host)

    def _fail(self, at: datetime, vm_state: str, reason: str) -> None:
        """End on the destination: a claim that is refused leaves the server as it was, all else leaves it in error."""
        self._drop()
        self.migration.become(at, "failed")
        self.server.become(at, vm_state, power_state=self.server.power_state)
        self.server.fault = Fault(at, reason)

    def _spawn(self, at: datetime) -> None:
        cause = "spawn" if self.migration.dest_compute in self.world.options.spawn_fails_on else self.course.fails
        if cause in _BROKEN:
            self._fail(at, "error", _BROKEN[cause])
            return
        task = self.server.task_state if self.spoilt else "rebuild_spawning"
        self.server.become(at, self.server.vm_state, task, power_state=0)

    def _spawned(self, at: datetime) -> None:
        # The server looks settled while `host` is still the old one, and it runs for a moment even
        # when it is to be stopped: real Nova lets callers see both.
        if self.spoilt:
            self._spoil(at)
            return
        self.server.fault = None
        self.server.become(at, "active", "powering-off" if self.stopped_after else None)
        self.world.history.power(self.server.id, self.migration.dest_compute or "", at, self.server.power_state)

    def _spoil(self, at: datetime) -> None:
        """End as Nova ends the first of two evacuations: neither of them brings the server up."""
        self.in_flight = False
        self.migration.become(at, "failed")
        self._move()
        self.server.become(at, "error", "rebuilding", power_state=0)

    def _settled(self, at: datetime) -> None:
        if self.stopped_after and not self.spoilt:
            self.server.become(at, "stopped")
            self.world.history.power(self.server.id, self.migration.dest_compute or "", at, self.server.power_state)

    def _done(self, at: datetime) -> None:
        if self.spoilt:
            self._spoil(at)
            return
        self.in_flight = False
        self._move()
        self.server.updated = at
        self.migration.become(at, "done")

    def _move(self) -> None:
        self.world.move(self.server, self.migration.dest_compute, self.migration.dest_node)
