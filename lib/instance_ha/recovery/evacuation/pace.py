"""The pace of a round: when Nova is asked again, by how long the last evacuations have lasted."""

from collections.abc import Sequence
from datetime import datetime

from instance_ha.decide import slots
from instance_ha.decide.watch import Watch
from instance_ha.models.rows import VMove
from instance_ha.world import RecoveryWorld

_REMEMBERED = 20  # ends
_LATE = 0.75  # an end is taken to have come so late between two questions: one that is asked too soon is for nothing


class Pace:
    """What one round has learnt of its evacuations; nothing while none has ended."""

    def __init__(self, world: RecoveryWorld) -> None:
        self._clock = world.clock
        self._interval = world.settings.verify_interval
        self._lasted: list[float] = []
        self._asked_at: datetime | None = None
        self._ended_at: dict[str, datetime] = {}  # by vmove, what had ended when Nova was asked last

    def note(self, found: Watch) -> None:
        """Note what Nova has just said: what had not ended before, has between the last question and this one."""
        now, ended_before = self._clock.now(), self._ended_at
        before = self._asked_at or now
        self._asked_at, self._ended_at = now, {}
        for move, _ in found.done:
            self._ended_at[move.uuid] = ended_before.get(move.uuid, now)
            if move.uuid not in ended_before and move.start_time is not None:
                first, last = (max(0.0, (at - move.start_time).total_seconds()) for at in (before, now))
                self._lasted.append(first + _LATE * (last - first))
        del self._lasted[:-_REMEMBERED]

    def waits_for_more(self, ongoing: Sequence[VMove], found: Watch, free: int) -> bool:
        """Say whether others end in a moment, so that one round closes all: no later than Nova would be asked anyway.

        What must not wait are failures, and slots that were free before.
        """
        has_failed = any(dest_host is None for _, dest_host in found.done)
        if not found.done or found.unseen or has_failed or free > len(found.done):
            return False
        now = self._clock.now()
        more = self._next_end(ongoing, found, now)
        waited = max(((now - at).total_seconds() for at in self._ended_at.values()), default=0.0)
        in_time = waited + more <= slots.pause(ongoing, now, self._interval)
        return in_time and slots.wait_for_more(len(found.done), more, self._lasted)

    def pause(self, watched: Sequence[VMove], in_work: Sequence[VMove], found: Watch, began: datetime) -> float:
        """Say how long to wait after a round that has begun at a time, and watched some; others may be in work now."""
        now = self._clock.now()
        asking, next_end = (now - began).total_seconds(), self._next_end(in_work, found, now)
        return slots.until_next(slots.pause(watched, now, self._interval), next_end, asking)

    def _next_end(self, in_work: Sequence[VMove], found: Watch, now: datetime) -> float:
        done = {move.uuid for move, _ in found.done}
        return slots.next_end([move for move in in_work if move.uuid not in done], now, self._lasted)
