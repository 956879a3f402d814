"""What will happen later: a queue of events that is worked off whenever somebody looks at the cloud."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Event = Callable[[datetime], None]


@dataclass(order=True)
class _Entry:
    due: datetime
    number: int
    event: Event = field(compare=False)


class Timeline:
    """Events with their times; each runs as if it were exactly its time. Not thread-safe by itself."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._queue: list[_Entry] = []
        self._count = 0
        self._is_running = False

    def at(self, base: datetime, seconds: float, event: Event) -> None:
        """Let `event` happen `seconds` after `base`."""
        self._count += 1
        heapq.heappush(self._queue, _Entry(base + timedelta(seconds=seconds), self._count, event))

    def run_until(self, now: datetime) -> None:
        """Let everything happen that is due, in order, also what those events add.

        An event may look at the cloud, too; it sees it as it is at the event's own time.
        """
        if self._is_running:
            return
        self._is_running = True
        try:
            self._work_off(now)
        finally:
            self._is_running = False
        self.now = max(self.now, now)

    def _work_off(self, now: datetime) -> None:
        while self._queue and self._queue[0].due <= now:
            entry = heapq.heappop(self._queue)
            self.now = entry.due
            entry.event(entry.due)
