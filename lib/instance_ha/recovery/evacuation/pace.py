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
        self._ended: set[str] = set()  # by vmove, what had ended when Nova was asked last

    def note(self, found: Watch) -> None:
        """Note what Nova has just said: what had not ended before, has between the last question and this one."""
        now, ended_before = self._clock.now(), self._ended
        before = self._asked_at or now
        self._asked_at, self._ended = now, {move.uuid for move, _ in found.done}
        for move, _ in found.done:
            if move.uuid not in ended_before and move.start_time is not None:
                first, last = (max(0.0, (at - move.start_time).total_seconds()) for at in (before, now))
                self._lasted.append(first + _LATE * (last - first))
        del self._lasted[:-_REMEMBERED]

    def pause(self, watched: Sequence[VMove], in_work: Sequence[VMove], began: datetime) -> float:
        """Say how long to wait after a round that has begun at a time, and watched some; others may be in work now."""
        now = self._clock.now()
        next_end = slots.next_end([move for move in in_work if move.uuid not in self._ended], now, self._lasted)
        return slots.until_next(slots.pause(watched, now, self._interval), next_end, (now - began).total_seconds())
