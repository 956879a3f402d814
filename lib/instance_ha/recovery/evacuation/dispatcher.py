"""The dispatcher of evacuations: a bounded number in flight, all watched with one question.

This loop is the only one that begins evacuations of a notification, and it holds the notification's lease; so
the bound is kept by rows. Each evacuation is started and closed by recover-instance. In between no invocation
waits for a single instance: one list of Nova's migration records tells of all, and one list of locked instances
tells which locks are ours.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide import destinations, slots
from instance_ha.decide.evacuation import lock_reason
from instance_ha.decide.hold import Hold
from instance_ha.decide.outcome import hopeless
from instance_ha.decide.service import SourceState
from instance_ha.decide.watch import Watch, watch
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.budget import InFlight
from instance_ha.models.cloud import CLOCKS_APART
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.rows import TaskRow, VMove
from instance_ha.models.triggers import EVACUATE_INSTANCE, Trigger
from instance_ha.recovery.evacuation.by_others import ByOthers
from instance_ha.recovery.evacuation.dest_hosts import DestHosts
from instance_ha.recovery.evacuation.free_slots import FreeSlots
from instance_ha.recovery.evacuation.in_work import InWork
from instance_ha.recovery.evacuation.pace import Pace
from instance_ha.recovery.evacuation.records import FRESH, EvacuationRecords
from instance_ha.recovery.evacuation.source_host import SourceHost
from instance_ha.recovery.hold import signs_of_life
from instance_ha.recovery.recovery import Held, NotYet, Recovery
from instance_ha.store import batches, rounds, vmoves


def evacuate_round(recovery: Recovery, task: TaskRow, target_host: str | None) -> NotYet | Held | None:
    """Evacuate all that is planned, to one host or to where the scheduler likes.

    Says what keeps it from its end: time is up, or the host shows signs of life, and nothing is under way any more.
    """
    return _Round(recovery, task, target_host).run()


@dataclass(frozen=True)
class _Facts:
    """What Nova and our rows tell right before evacuations begin."""

    locks: set[str]  # the instances that their owners have locked
    source: SourceState
    by_others: Mapping[str, int]  # records of evacuations that are under way or over, by instance
    instead: Sequence[str]  # destinations to name, since one that the scheduler chose fails


class _Round:
    """The planned evacuations, by the invocation that has the lease."""

    def __init__(self, recovery: Recovery, task: TaskRow, target_host: str | None) -> None:
        self._recovery = recovery
        self._task = task
        self._target_host = target_host
        self._uuid = recovery.notification.notification_uuid
        self._clock, self._settings = recovery.world.clock, recovery.world.settings
        self._records = EvacuationRecords(recovery)
        self._by_others = ByOthers(recovery)
        self._source = SourceHost(recovery, task)
        self._dests = DestHosts(recovery)
        self._slots = FreeSlots(recovery, target_host)
        self._in_work = InWork(recovery)
        self._pace = Pace(recovery.world)
        self._alive: Hold | None = None  # the host showed signs of life when evacuations were to begin

    def run(self) -> NotYet | Held | None:
        """Go on until nothing is planned any more; says what keeps it from that."""
        while True:
            began = self._clock.now()
            self._recovery.claim.keep()
            ongoing, waiting_since = self._in_work.rows()
            found = self._watch(self._in_work.under_way())
            if self._in_work.lacks(self._records.newest):
                ongoing, waiting_since = self._in_work.rows()
            if not ongoing and waiting_since is None:
                return None
            if not ongoing and self._alive is not None:
                return Held(self._alive)
            free = self._free(ongoing, found) if waiting_since is not None else 0
            if found.done or free > 0:
                self._go_on(ongoing, found, free, waiting_since)
            elif found.unseen:
                self._check_again(found.unseen)
            if self._recovery.claim.out_of_time:
                return NotYet()
            self._pause(ongoing, began)

    def _free(self, ongoing: Sequence[VMove], found: Watch) -> int:
        free = slots.free(ongoing, found.done, self._settings.host_failure_recovery_threads)
        return self._slots.before_asking(free) if free > 0 and not found.done else free

    def _watch(self, watched: Sequence[VMove]) -> Watch:
        """Find the evacuations that Nova is done with, and those to be checked one by one."""
        if not watched:
            return Watch((), ())
        try:
            with self._slots.timed():
                self._records.read(watched)
        except (CloudUnavailable, CloudRefused) as error:
            log.get().warning("evacuations not read", error=str(error))
            return Watch((), ())
        self._slots.note_tries(watched)
        down = self._dests.down(watched, self._records.newest)
        slow = self._settings.wait_period_after_evacuation
        found = watch(watched, self._records.newest, self._clock.now(), slow, down)
        self._pace.note(found)
        return found

    def _go_on(self, ongoing: Sequence[VMove], found: Watch, free: int, waiting_since: datetime | None) -> None:
        """Hand what Nova is done with to be closed, and fill the free slots."""
        try:
            with self._slots.timed():
                facts = self._ask(ongoing, found, free, waiting_since)
        except (CloudUnavailable, CloudRefused) as error:
            log.get().warning("locks, host or evacuations not read", error=str(error))
            return
        with self._recovery.claim.transaction(**self._slots.wanted(free)) as connection:
            enabled = self._settle(connection, found, facts)
            flight = self._slots.in_flight(connection)
            self._alive = self._signs_of_life(connection, flight)
            reason = self._reason_to_stop(connection, facts, flight, enabled=enabled)
            begun = self._fill(connection, free, facts, flight) if reason is None else self._stop(connection, reason)
        self._take_in(found, begun, facts, lacks=waiting_since is not None and free > len(begun))
        if reason is not None:
            log.get().warning("evacuations stopped", reason=reason, host=self._recovery.host.name)
        if begun:
            log.get().info("evacuations begun", count=len(begun), target_host=self._target_host)
        self._recovery.world.breakpoint(Breakpoint.ROUND_ADVANCED)
        self._publish(move.uuid for move in [*(move for move, _ in found.done), *found.unseen, *begun])

    def _ask(self, ongoing: Sequence[VMove], found: Watch, free: int, waiting_since: datetime | None) -> _Facts:
        just_listed = waiting_since is not None and self._clock.now() - waiting_since < FRESH
        locks = set() if just_listed and not found.done else self._foreign_locks()
        may_begin = waiting_since is not None and free > 0
        source = self._source.state() if may_begin else SourceState.UNKNOWN
        if source is SourceState.DOWN and not just_listed:
            self._records.refresh()
        others = self._by_others.among(self._records.newest, ongoing) if source is SourceState.DOWN else {}
        instead = self._instead() if self._target_host is None else []
        return _Facts(locks, source, others, instead)

    def _take_in(self, found: Watch, begun: Sequence[VMove], facts: _Facts, *, lacks: bool) -> None:
        """Know the rows without reading them, where nothing but the usual has happened."""
        self._in_work.go_on({move.uuid for move, _ in found.done}, begun)
        has_failed = any(dest_host is None for _, dest_host in found.done)
        if has_failed or found.unseen or facts.by_others or (lacks and self._slots.short_at is None):
            self._in_work.read_again()

    def _foreign_locks(self) -> set[str]:
        """Name the instances that their owners have locked since the failure was reported."""
        ours = lock_reason(self._uuid)
        locked = self._recovery.nova.locked_servers(self._recovery.notification.created_at - CLOCKS_APART)
        return {server.id for server in locked if server.locked_reason != ours}

    def _instead(self) -> list[str]:
        """Name the hosts to send instances to when Nova's scheduler has chosen one that fails; empty if none does."""
        avoid = destinations.failing(self._in_work.ends())
        if not avoid:
            return []
        log.get().debug("destinations avoided", hosts=sorted(avoid))
        return destinations.others(self._recovery.nova.services(), self._recovery.host.name, avoid)

    def _settle(self, connection: Connection, found: Watch, facts: _Facts) -> bool:
        """Lock the segment, and say whether its failures are recovered."""
        now = self._clock.now()
        done = [
            batches.Settled(move.uuid, dest_host, move.instance_uuid not in facts.locks)
            for move, dest_host in found.done
        ]
        segment, locked = self._recovery.host.failover_segment_id, sorted(facts.locks)
        enabled = batches.settle(connection, segment, self._uuid, done, locked, now)
        batches.check_again(connection, [move.uuid for move in found.unseen], now)
        return enabled

    def _fill(self, connection: Connection, free: int, facts: _Facts, flight: InFlight) -> list[VMove]:
        """Begin as many as are free."""
        if facts.source is not SourceState.DOWN:
            return []
        now = self._clock.now()
        rounds.follow(connection, self._uuid, facts.by_others, now)
        may_begin = free > 0 and self._alive is None
        number = self._slots.of(connection, free, flight) if may_begin else 0
        about = self._target_host, now, self._task
        begun = batches.start_next(connection, self._uuid, number, *about) if number else []
        rounds.aim(connection, destinations.spread(begun, facts.instead))
        emit.vmoves_begun(self._recovery.world, connection, [move.uuid for move in begun])
        return begun

    def _signs_of_life(self, connection: Connection, flight: InFlight) -> Hold | None:
        """Say what the evidence says of the host that has come since its recovery began to evacuate."""
        if not flight.may_live:
            return None
        found = signs_of_life(connection, self._recovery.notification, self._recovery.host.name, self._clock.now())
        if found is not None and self._alive is None:
            log.get().warning("evacuations suspended", reason=found.reason)
        return found

    def _stop(self, connection: Connection, reason: str) -> list[VMove]:
        """End all that wait."""
        ignored = vmoves.ignore_pending(connection, self._uuid, reason, self._clock.now())
        emit.vmoves_ended(self._recovery.world, connection, ignored)
        return []

    def _reason_to_stop(self, connection: Connection, facts: _Facts, flight: InFlight, *, enabled: bool) -> str | None:
        """Say why nothing more shall begin, if so."""
        if facts.source is SourceState.UP:
            return f"not evacuated, since host {self._recovery.host.name} is up again"
        if not enabled:
            return "not tried, since the segment was disabled"
        limit = self._settings.evacuation_abort_after
        if flight.failed < limit:
            return None
        last = rounds.last_ended(connection, self._recovery.notification, limit)
        return hopeless(last, limit, elsewhere=bool(facts.instead))

    def _check_again(self, unseen: Sequence[VMove]) -> None:
        uuids = [move.uuid for move in unseen]
        with self._recovery.claim.transaction() as connection:
            batches.check_again(connection, uuids, self._clock.now())
        self._in_work.read_again()
        self._publish(uuids)

    def _publish(self, uuids: Iterable[str]) -> None:
        triggers = [Trigger(EVACUATE_INSTANCE, uuid, self._recovery.notification.request_id) for uuid in uuids]
        self._recovery.world.publisher.publish(triggers, self._clock.now())

    def _pause(self, ongoing: Sequence[VMove], began: datetime) -> None:
        pause = self._pace.pause(ongoing, self._in_work.known, began)
        left = (self._recovery.claim.deadline - self._clock.now()).total_seconds()
        self._clock.sleep(max(0.0, min(pause, left)))
