"""Cron: calls functions on the schedules of stack.yml, with the token that they want to see."""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime

import structlog
from croniter import croniter

from local.hosting import Call, Response
from stack import Function


def _now() -> datetime:
    return datetime.now(UTC)


class Cron:
    """A thread for each schedule, so that a function never runs beside itself."""

    def __init__(
        self,
        functions: Iterable[Function],
        invoke: Callable[[str, Call], Response],
        now: Callable[[], datetime] = _now,
        wait: Callable[[float], bool] | None = None,
        token: str = "",
        at_once: Collection[str] = (),
    ) -> None:
        """Read the schedules; ``at_once`` names functions that do not wait for their first time."""
        self._tick = Call("POST", "/", {"Content-Type": "text/plain", "Authorization": f"Bearer {token}"})
        self._invoke = invoke
        self._at_once = at_once
        self._now = now
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait  # true: it is over
        self._threads = [
            threading.Thread(target=self._run, args=(f.name, f.schedule), name=f"cron-{f.name}", daemon=True)
            for f in functions
            if f.schedule
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Fire no more; what runs may go on for a little."""
        self._stopped.set()
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, name: str, schedule: str) -> None:
        due = self._now()
        if name in self._at_once:
            self._fire(name)
        while not self._stopped.is_set():
            # From what was due last, not only from now: a wait that ends a little early must not fire twice.
            due = next_time(schedule, max(due, self._now()))
            if self._wait(max(0.0, (due - self._now()).total_seconds())):
                return
            self._fire(name)

    def _fire(self, name: str) -> None:
        try:
            answer = self._invoke(name, self._tick)
        except Exception:
            structlog.get_logger().exception("cron call failed", function=name)
            return
        if answer.code >= 400:
            structlog.get_logger().warning("cron call not accepted", function=name, code=answer.code)


def next_time(schedule: str, after: datetime) -> datetime:
    """Tell when the schedule fires next."""
    upcoming: datetime = croniter(schedule, after).get_next(datetime)
    return upcoming
