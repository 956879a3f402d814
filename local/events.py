"""The event queue: takes an event at once, delivers it later, and again after an error.

It is kept in memory, as the queue of OpenFaaS CE and Knative's default channel are: a restart loses events.
"""

import heapq
import threading
import time
from dataclasses import dataclass, field, replace
from itertools import count

import structlog
from instance_ha_simulator.brokers import rewritten

from local.hosting import Backend, Call

_RETRIED = frozenset({404, 408, 409, 429})


@dataclass(frozen=True, order=True)
class _Delivery:
    """A call to be made."""

    due: float
    number: int
    name: str = field(compare=False)
    call: Call = field(compare=False)
    tries: int = field(compare=False, default=1)


class Queue:
    """Delivers events to functions on threads of its own; tries and pauses are those of Knative's default broker."""

    def __init__(self, backend: Backend, threads: int = 64, *, tries: int = 10, first_pause: float = 0.2) -> None:
        self._backend = backend
        self._most_threads = threads
        self._most_tries = tries
        self._first_pause = first_pause
        self._numbers = count()
        self._changed = threading.Condition()
        self._waiting: list[_Delivery] = []
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False

    def put(self, name: str, call: Call) -> None:
        """Take an event, and write it anew as a broker does."""
        self._put(_Delivery(0.0, next(self._numbers), name, replace(call, headers=rewritten(call.headers))))

    def _put(self, delivery: _Delivery) -> None:
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._waiting, delivery)
            if self._idle < len(self._waiting) and len(self._threads) < self._most_threads:
                # A daemon: a program that ends does not wait for an invocation of 50 s.
                thread = threading.Thread(target=self._work, name=f"event-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def _work(self) -> None:
        while (delivery := self._take()) is not None:
            self._deliver(delivery)

    def _take(self) -> _Delivery | None:
        """Wait for the next delivery that is due; None at the end."""
        with self._changed:
            self._idle += 1
            try:
                while not self._stopped:
                    pause = self._waiting[0].due - time.monotonic() if self._waiting else None
                    if pause is None or pause > 0:
                        self._changed.wait(pause)
                        continue
                    delivery = heapq.heappop(self._waiting)
                    self._changed.notify()  # the others may wait for longer than the next one does
                    return delivery
                return None
            finally:
                self._idle -= 1

    def _deliver(self, delivery: _Delivery) -> None:
        code = self._attempt(delivery)
        if code < 300:
            return
        again = (code >= 500 or code in _RETRIED) and delivery.tries < self._most_tries
        structlog.get_logger().warning(
            "event not accepted", function=delivery.name, code=code, tries=delivery.tries, again=again
        )
        if again:
            pause = self._first_pause * 2 ** (delivery.tries - 1)
            self._put(replace(delivery, due=time.monotonic() + pause, tries=delivery.tries + 1))

    def _attempt(self, delivery: _Delivery) -> int:
        try:
            return self._backend.call(delivery.name, delivery.call).code
        except Exception:
            structlog.get_logger().exception("delivery failed", function=delivery.name)
            return 500

    def stop(self, patience: float = 5.0) -> None:
        """Drop what waits, and let what runs go on for a little."""
        with self._changed:
            self._stopped = True
            if self._waiting:
                structlog.get_logger().warning("events dropped", events=len(self._waiting))
            self._changed.notify_all()
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
