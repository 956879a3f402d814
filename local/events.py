"""The event queue: takes an event at once, delivers it later, and again after an error.

It is kept in memory, as the queue of OpenFaaS CE and Knative's default channel are: who restarts, loses events.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import structlog

from local.hosting import Backend, Call

_RETRIED = frozenset({404, 408, 409, 429})
_TRIES = 10
_FIRST_PAUSE = 0.2  # doubles, as Knative's default broker does


class Queue:
    """Delivers events to functions on a pool of threads."""

    def __init__(self, backend: Backend, threads: int = 64) -> None:
        self._backend = backend
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="event")
        self._stopped = threading.Event()

    def put(self, name: str, call: Call, tries: int = 0) -> None:
        """Take an event."""
        if not self._stopped.is_set():
            self._pool.submit(self._deliver, name, call, tries)

    def _deliver(self, name: str, call: Call, tries: int) -> None:
        code = self._attempt(name, call)
        if code < 300:
            return
        again = (code >= 500 or code in _RETRIED) and tries + 1 < _TRIES
        structlog.get_logger().warning("event not accepted", function=name, code=code, tries=tries + 1, again=again)
        if again:
            timer = threading.Timer(_FIRST_PAUSE * 2**tries, self.put, (name, call, tries + 1))
            timer.daemon = True
            timer.start()

    def _attempt(self, name: str, call: Call) -> int:
        try:
            return self._backend.call(name, call).code
        except Exception:
            structlog.get_logger().exception("delivery failed", function=name)
            return 500

    def stop(self, patience: float = 5.0) -> None:
        """Drop what waits, and let what runs go on for a little."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        until = time.monotonic() + patience
        for thread in list(self._pool._threads):
            thread.join(max(0.0, until - time.monotonic()))
