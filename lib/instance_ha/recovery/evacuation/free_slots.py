"""How many evacuations a recovery may begin: by its own limit, its segment's, and what Nova can bear.

Dispatchers of a segment need no coordinator: each counts rows while it has locked that of the segment, and leaves the
slots to instances of a higher rank that other dispatchers would begin.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from instance_ha import log
from instance_ha.decide import budget
from instance_ha.decide.budget import Limits
from instance_ha.models.errors import CloudUnavailable
from instance_ha.models.rows import VMove
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import budgets


class FreeSlots:
    """The slots for evacuations of one round."""

    def __init__(self, recovery: Recovery, target_host: str | None) -> None:
        self._recovery = recovery
        self._target_host = target_host
        self._clock, self._settings = recovery.world.clock, recovery.world.settings
        self._limits = Limits(
            notification=self._settings.host_failure_recovery_threads,
            segment=self._settings.segment_evacuations,
            destination=self._settings.destination_evacuations,
        )
        self._is_short = False  # there was less than was wanted: Nova is not asked before there is some
        self._tries = 0

    def before_asking(self, wanted: int) -> int:
        """Say how many evacuations may begin, as it seems, before Nova is asked what it takes to begin them."""
        if not self._is_short:
            return wanted
        with self._recovery.claim.transaction(**self.wanted(wanted)) as connection:
            return self.read(connection, wanted)

    def wanted(self, free: int) -> dict[str, datetime]:
        """Return what tells other dispatchers that this one would begin evacuations now; nothing when it would not."""
        return {"slots_at": self._clock.now()} if free > 0 else {}

    def read(self, connection: Connection, wanted: int) -> int:
        """Count how many may begin; nobody else counts them while the row of the segment is locked."""
        now, segment = self._clock.now(), self._recovery.host.failover_segment_id
        uuid = self._recovery.notification.notification_uuid
        flight, throttle = budgets.in_flight(connection, segment, uuid, self._target_host)
        part = budget.share(throttle, now)
        slots = min(wanted, budget.free(self._limits, flight, part))
        if slots and flight.recoveries > 1:
            most = budget.most(self._limits.notification, part)
            own, others = budgets.queues(connection, segment, uuid, most, now)
            in_all = budget.most(self._limits.segment, part) - flight.of_segment
            slots = min(slots, budget.in_turn(own, others, in_all, most))
        self._is_short = slots < wanted
        return slots

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
            self._throttle("evacuations are tried again")
        self._tries = tries

    def _throttle(self, reason: str) -> None:
        """Halve what may be in flight, unless that was done a moment ago."""
        with self._recovery.claim.transaction() as connection:
            halved = budget.halve(budgets.read_throttle(connection, lock=True), self._clock.now())
            if halved is None:
                return
            budgets.write_throttle(connection, halved)
        log.get().warning("Nova struggles: fewer evacuations at once", share=f"{halved.share:.0%}", reason=reason)
