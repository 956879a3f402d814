"""What stands before the application of an instance: it refuses what the instance cannot do, or shall not begin."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from instance_ha.api.faults import fault

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

_PATIENCE = 2.0  # seconds that work above THREADS waits for its turn; events come in bursts, and each is short


class Entrance:
    """Lets work in: only so much at once, and none when this instance is about to end.

    As much again waits a moment for its turn; what comes on top, or has waited in vain, is refused.
    Whatever is below ``/_/`` (health, readiness, …) is always answered.
    """

    def __init__(self, application: Wsgi, limit: int) -> None:
        self._application = application
        self._limit = limit
        self._change = threading.Condition()
        self._inside = 0
        self._waiting = 0
        self.closed = False

    @property
    def idle(self) -> bool:
        """Whether no work is being done."""
        with self._change:
            return self._inside == 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_/") and not (self.closed and path == "/_/ready"):
            return self._application(environ, start_response)
        if not self._enter():
            return self._refusal()(environ, start_response)
        try:
            return self._application(environ, start_response)
        finally:
            with self._change:
                self._inside -= 1
                self._change.notify()

    def _enter(self) -> bool:
        with self._change:
            if not self.closed and self._full() and self._waiting < self._limit:
                self._waiting += 1
                self._change.wait_for(lambda: not self._full(), _PATIENCE)
                self._waiting -= 1
            if self.closed or self._full():
                return False
            self._inside += 1
            return True

    def _full(self) -> bool:
        return self._inside >= self._limit

    def _refusal(self) -> Wsgi:
        refusal: Any = fault(503, "this instance is shutting down" if self.closed else "this instance is busy")
        refusal.headers["Retry-After"] = "1"
        return refusal  # type: ignore[no-any-return]  # an answer of Flask's is an application as well
