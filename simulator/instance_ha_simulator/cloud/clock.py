"""Where the simulated cloud takes its time from."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time, and waiting for it to pass; tests bring one whose time is virtual."""

    def now(self) -> datetime:
        """Return the present time, aware and in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return once that many seconds have passed on this clock."""
        ...


class RealClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present time, aware and in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        time.sleep(seconds)


class ManualClock:
    """Virtual time: it passes only by `sleep`, which returns at once (for tests with one thread)."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the present virtual time."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._now += max(timedelta(), timedelta(seconds=seconds))
