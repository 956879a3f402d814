"""A replica of Nova's database that lags behind: lists of servers and of moves are read from it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from instance_ha_simulator.cloud.model import Migration, Server


@dataclass
class Replica:
    """Copies of what there was, the oldest first: that which is shown now."""

    lag: timedelta
    _copies: deque[tuple[datetime, list[Server], list[Migration]]] = field(default_factory=deque)

    def take(self, now: datetime, servers: Sequence[Server], migrations: Sequence[Migration]) -> None:
        """Remember what there is now, and forget what is not shown any more."""
        self._copies.append((now, [replace(s) for s in servers], [replace(m) for m in migrations]))
        while len(self._copies) > 1 and self._copies[1][0] <= now - self.lag:
            self._copies.popleft()

    @property
    def servers(self) -> list[Server]:
        """The servers as they were."""
        return self._copies[0][1]

    @property
    def migrations(self) -> list[Migration]:
        """The records of moves as they were."""
        return self._copies[0][2]
