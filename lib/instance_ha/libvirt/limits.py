"""Time limits for calls into a library that has none."""

import threading
from collections.abc import Callable
from typing import Any

from instance_ha.models.errors import SourceUnavailable


class Limited:
    """Makes calls in threads that are left behind when they take too long, no more than one for each subject."""

    def __init__(self) -> None:
        self._stuck: dict[str, threading.Thread] = {}

    def call(
        self, subject: str, seconds: float, work: Callable[[], Any], undo: Callable[[Any], Any] | None = None
    ) -> Any:
        """Return what the work returns; ``undo`` gets what comes too late.

        Raises:
            SourceUnavailable: it takes too long, or an earlier call about the subject still has not come back.

        """
        stuck = self._stuck.get(subject)
        if stuck is not None and stuck.is_alive():
            raise SourceUnavailable(f"{subject}: an earlier call still hangs")
        call = _Call(work, undo)
        thread = threading.Thread(target=call.run, name=f"limited-{subject}", daemon=True)
        thread.start()
        thread.join(seconds)
        if not call.take():
            self._stuck[subject] = thread
            raise SourceUnavailable(f"{subject}: no answer in {seconds:g} s")
        if call.error is not None:
            raise call.error
        return call.result


class _Call:
    """One call, and whether its caller still waits for it."""

    def __init__(self, work: Callable[[], Any], undo: Callable[[Any], Any] | None) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._work = work
        self._undo = undo
        self._lock = threading.Lock()
        self._done = self._given_up = False

    def run(self) -> None:
        """Make it."""
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error
        with self._lock:
            self._done = True
            late = self._given_up and self.error is None
        if late and self._undo is not None:
            self._undo(self.result)

    def take(self) -> bool:
        """Whether it is done; if not, its caller stops waiting."""
        with self._lock:
            self._given_up = not self._done
            return self._done
