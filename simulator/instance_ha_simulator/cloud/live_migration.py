"""A live migration that the API was asked for, from its acceptance to its end, step by step as Nova does it."""

from dataclasses import dataclass
from datetime import datetime

from instance_ha_simulator.cloud import actions
from instance_ha_simulator.cloud.errors import bad_request
from instance_ha_simulator.cloud.evacuation import NO_VALID_HOST, Step
from instance_ha_simulator.cloud.identity import Token
from instance_ha_simulator.cloud.model import Fault, LiveCourse, Migration, Server
from instance_ha_simulator.cloud.world import World

_LIVE = ("active", "paused")
_CHECKED, _RUNNING, _SWITCHED, _DONE = 0.1, 0.2, 0.8, 1.0  # parts of live_migrate_seconds


def ask(world: World, server: Server, by: Token, to: str) -> None:
    """Accept a live migration or refuse it: what the scheduler, or a host, makes of it shows in its record."""
    if server.vm_state not in _LIVE:
        raise actions.wrong_state("os-migrateLive", server, "vm_state", server.vm_state)
    if server.task_state is not None:
        raise actions.wrong_state("os-migrateLive", server, "task_state", server.task_state)
    if to not in world.hosts:
        raise bad_request(f"Compute host {to} could not be found.")
    course = next((one for one in world.live_courses if one.instance == server.name), LiveCourse(server.name))
    if course in world.live_courses:
        world.live_courses.remove(course)
    if course.fails == "refused":
        raise bad_request("The live migration is refused.")
    record = world.record(server, "live-migration", to, by.user.id, by.project.id if by.project else "")
    server.task_state, server.updated = "migrating", world.now
    _LiveMigration(world, server, record, course).begin()


@dataclass
class _LiveMigration:
    """One under way."""

    world: World
    server: Server
    record: Migration
    course: LiveCourse
    is_over: bool = False
    is_claimed: bool = False
    has_switched: bool = False

    def begin(self) -> None:
        """Set the course of events."""
        usual, own = self.world.options.live_migrate_seconds, self.course.seconds
        total = usual if own is None else own
        steps = ((_CHECKED, self._schedule), (_RUNNING, self._run), (_SWITCHED, self._switch), (_DONE, self._complete))
        for share, step in steps:
            self.world.timeline.at(self.world.now, total * share, self._guarded(step))

    def _guarded(self, step: Step) -> Step:
        def run(at: datetime) -> None:
            if self.is_over:
                return
            if self.server.id not in self.world.servers:
                self._leave(at, "cancelled")
            elif not self.world.hosts[self.record.source_compute].alive:
                self.is_over = True  # nobody is there to end it: its record stays as it is
            elif not self.has_switched and not self.world.hosts[self._dest].alive and self.is_claimed:
                self._fail(at, "failed", f"Live migration to {self._dest} failed: the destination does not answer.")
            else:
                step(at)

        return run

    @property
    def _dest(self) -> str:
        return self.record.dest_compute or ""

    def _schedule(self, at: datetime) -> None:
        if self.course.fails == "left-in-error":  # as when a host that is asked about it answers with an error
            self._fail(at, "error", "RemoteError")
            self.server.become(at, "error", power_state=self.server.power_state)
            return
        no_host = self.course.fails == "no-valid-host" or self._dest == self.server.host
        if no_host or self.world.pick_host(self.server, self._dest) is None:
            self._fail(at, "error", NO_VALID_HOST)
            return
        self.world.load[self._dest] += self.server.size
        self.is_claimed = True
        self.record.dest_node = self.world.hosts[self._dest].hypervisor_hostname
        self.record.become(at, "preparing")

    def _run(self, at: datetime) -> None:
        self.record.become(at, "running")

    def _switch(self, at: datetime) -> None:
        if self.course.fails in ("failed", "cancelled"):
            self._fail(at, self.course.fails, "Live migration operation has aborted.")
            return
        self.has_switched = True
        self.world.history.power(self.server.id, self.record.source_compute, at, 0)
        self.world.history.power(self.server.id, self._dest, at, self.server.power_state)

    def _complete(self, at: datetime) -> None:
        self.is_over = True
        self.world.move(self.server, self.record.dest_compute, self.record.dest_node)
        self.server.task_state, self.server.updated = None, at
        self.record.become(at, "completed")

    def _fail(self, at: datetime, status: str, reason: str) -> None:
        """End where it was: the guest has run on all the time."""
        self._leave(at, status)
        self.server.task_state, self.server.updated = None, at
        self.server.fault = Fault(at, reason)

    def _leave(self, at: datetime, status: str) -> None:
        self.is_over = True
        self.record.become(at, status)
        if self.is_claimed:
            self.world.load[self._dest] -= self.server.size
