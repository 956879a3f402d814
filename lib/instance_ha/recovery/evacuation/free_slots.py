"""How many evacuations a recovery may begin: by its own limit, its segment's, and what Nova can bear.

Dispatchers of a segment need no coordinator: each counts rows while it has locked that of the segment, and leaves the
slots to instances of a higher rank that other dispatchers would begin.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection

from instance_ha import log
from instance_ha.decide import budget
from instance_ha.decide.budget import Limits
from instance_ha.models.budget import InFlight, Queue
from instance_ha.models.errors import CloudUnavailable
from instance_ha.models.rows import VMove
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import budgets


class FreeSlots:
    """The slots for evacuations of one round."""

    def __init__(self, recovery: Recovery, target_host: str | None) -> None:
        self._recovery = recovery
        self._segment = recovery.host.failover_segment_id
        self._target_host = target_host
        self._clock, self._settings = recovery.world.clock, recovery.world.settings
        self._limits = Limits(
            notification=self._settings.host_failure_recovery_threads,
            segment=self._settings.segment_evacuations,
            destination=self._settings.destination_evacuations,
        )
        self.short_at: datetime | None = None  # when there was less than was wanted: Nova is not asked before there is
        self._tries = 0
        self._waits_for: int | None = None  # the HA_Priority, as it was logged

    def before_asking(self, wanted: int) -> int:
        """Say how many evacuations may begin, as it seems, before Nova is asked what it takes to begin them."""
        if self.short_at is None:
            return wanted
        if self._clock.now() - self.short_at < timedelta(seconds=self._settings.verify_interval):
            return 0
        with self._recovery.claim.transaction(**self.wanted(wanted)) as connection:
            return self.of(connection, wanted, self.in_flight(connection))

    def wanted(self, free: int) -> dict[str, datetime]:
        """Return what tells other dispatchers that this one would begin evacuations now; nothing when it would not."""
        return {"slots_at": self._clock.now()} if free > 0 else {}

    def in_flight(self, connection: Connection) -> InFlight:
        """Count what is in flight; nobody else begins more while the row of the segment is locked."""
        host, notification, now = self._recovery.host, self._recovery.notification, self._clock.now()
        most, levels = self._limits.notification, bool(self._settings.evacuation_level_wait)
        return budgets.in_flight(connection, host, notification, self._target_host, now, most, levels=levels)

    def of(self, connection: Connection, wanted: int, flight: InFlight) -> int:
        """Say how many of those that are wanted may begin beside what is in flight."""
        now = self._clock.now()
        part = budget.share(flight.throttle, now)
        slots = min(wanted, budget.free(self._limits, flight, part))
        level_wait = self._settings.evacuation_level_wait
        if slots and (flight.recoveries > 1 or level_wait):
            most = budget.most(self._limits.notification, part)
            in_all = budget.most(self._limits.segment, part) - flight.of_segment
            slots = min(slots, budget.in_turn(flight.own, flight.others, in_all, most))
            if level_wait:
                slots = min(slots, self._of_level(connection, flight.own, now - timedelta(seconds=level_wait)))
        self.short_at = now if slots < wanted else None
        return slots

    def _of_level(self, connection: Connection, own: Queue, since: datetime) -> int:
        """Count those that need not wait for instances of a higher HA_Priority, which were begun since then."""
        unready = budgets.unready(connection, self._segment, since)
        number = budget.of_level(own, unready)
        if number < len(own.ranks) and unready != self._waits_for:
            log.get().info("evacuations wait for a higher priority", priority=unready)
            self._waits_for = unready
        return number

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Ask Nova inside; an error, or an answer that takes long, shows that it struggles."""
        began = self._clock.now()
        try:
            yield
        except CloudUnavailable as error:
            self._throttle(str(error))
            raise
        seconds = (self._clock.now() - began).total_seconds()
        if seconds > self._settings.nova_slow_answer:
            self._throttle(f"it took {seconds:.0f} s to answer")

    def note_tries(self, moves: Sequence[VMove]) -> None:
        """Take it into account when Nova has failed an evacuation's own invocation since the last time."""
        tries = sum(move.tries for move in moves)
        if tries > self._tries:
            self._throttle("evacuations retried")
        self._tries = tries

    def _throttle(self, reason: str) -> None:
        """Halve what may be in flight, unless that was done a moment ago."""
        with self._recovery.claim.transaction() as connection:
            halved = budget.halve(budgets.read_throttle(connection, lock=True), self._clock.now())
            if halved is None:
                return
            budgets.write_throttle(connection, halved)
        log.get().warning("evacuation limit halved", share=f"{halved.share:.0%}", reason=reason)
