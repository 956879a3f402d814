"""Cron: calls functions on the schedules of stack.yml, as OpenFaaS' cron-connector does."""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import structlog
from croniter import croniter

from local.hosting import Call
from local.stack import Function

_TICK = Call("POST", "/", {"Content-Type": "text/plain"})


class Cron:
    """A thread for each schedule, so that a function never runs beside itself."""

    def __init__(self, functions: Iterable[Function], invoke: Callable[[str, Call], object]) -> None:
        self._invoke = invoke
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(f.name, f.schedule), name=f"cron-{f.name}", daemon=True)
            for f in functions
            if f.schedule
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Fire no more."""
        self._stopped.set()

    def _run(self, name: str, schedule: str) -> None:
        while not self._stopped.wait(seconds_until_next(schedule, datetime.now(UTC))):
            try:
                self._invoke(name, _TICK)
            except Exception:
                structlog.get_logger().exception("cron call failed", function=name)


def seconds_until_next(schedule: str, now: datetime) -> float:
    """How long until the schedule fires next; never 0, so that one minute does not fire twice."""
    upcoming: datetime = croniter(schedule, now).get_next(datetime)
    return max(0.01, (upcoming - now).total_seconds())
