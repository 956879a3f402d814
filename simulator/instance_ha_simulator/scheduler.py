"""Virtual time: runs processes one at a time, each until it sleeps or ends."""

import heapq
import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

START = datetime(2100, 11, 22, 3, 0, tzinfo=UTC)  # keystoneauth takes tokens that our clock calls past for expired


class KilledError(BaseException):
    """Ends a process at once, as SIGKILL does: nothing of ours may catch it."""


class TimeLimitError(Exception):
    """A wait was longer than the client of it is patient."""


class Process:
    """A thread that runs only while the scheduler waits for it."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name = name
        self.is_closed = False  # nothing more of it shall happen
        self.patience: datetime | None = None
        self.error: BaseException | None = None
        self.ended = False
        self.killed = False
        self.go, self.paused = threading.Lock(), threading.Lock()  # each taken here and released there
        self.go.acquire()
        self.paused.acquire()
        self._work = work
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        self.go.acquire()
        try:
            self._work()
        except KilledError:
            pass
        except BaseException as error:
            self.error = error
        self.ended = True
        self.paused.release()

    @property
    def has_begun(self) -> bool:
        """Whether its work has begun, and not ended."""
        return self.thread.is_alive()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was killed before its work has begun."""
        return self.killed and not self.has_begun

    def resume(self) -> None:
        """Run it until it sleeps or ends."""
        if not self.thread.is_alive():
            self.thread.start()
        self.go.release()
        self.paused.acquire()


_THREAD = "thread"

ahead = ContextVar("ahead", default=0.0)  # seconds that the clock of the invocation's machine is ahead


class MachineClock:
    """The clock of whatever machine an invocation runs on; it may be wrong, and so may its monotonic one's start."""

    def __init__(self, scheduler: "Scheduler") -> None:
        self._scheduler = scheduler

    def now(self) -> datetime:
        """Return what the machine takes for the time."""
        return self._scheduler.now() + timedelta(seconds=ahead.get())

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return (self.now() - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._scheduler.sleep(seconds)


class Scheduler:
    """The clock of a simulation, and the order of all that happens in it.

    With a ``seed`` what happens at the same time comes in a random order, the same one each time.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.random = None if seed is None else Random(seed)  # noqa: S311 no secret depends on it
        self._now = self._began = START
        self._queue: list[tuple[datetime, float, int, Process]] = []
        self._count = itertools.count()
        self._running: Process | None = None
        self.stood_still: list[tuple[datetime, float]] = []  # since when, and for how long

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._now

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return (self._now - self._began).total_seconds()

    def begin(self) -> None:
        """Count from now."""
        self._began = self._now

    def spawn(self, name: str, work: Callable[[], None], after: float = 0.0) -> Process:
        """Start a process after some time, unless it is killed before."""
        process = Process(name, work)
        self._push(process, self._now + timedelta(seconds=after))
        return process

    @property
    def is_running(self) -> bool:
        """Whether a process runs now, which may sleep."""
        return self._running is not None

    def is_idle(self, but: Collection[str]) -> bool:
        """Say whether nothing will happen any more, but for processes of these names."""
        return all(process.name in but or process.is_cancelled for *_, process in self._queue)

    def close(self) -> None:
        """End all processes, as a power cut does."""
        for *_, process in list(self._queue):
            self._running, process.is_closed = process, True
            if process.thread.is_alive():
                process.resume()
        self._running = None
        self._queue.clear()

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass; in the middle of a request no longer than its client waits."""
        process = self._running
        assert process is not None, "only processes can sleep"
        if process.is_closed:
            raise KilledError
        until = self._now + timedelta(seconds=seconds)
        patience = process.patience
        self._push(process, until if patience is None or until <= patience else patience)
        process.paused.release()
        process.go.acquire()
        if process.killed or process.is_closed:
            raise KilledError
        if patience is not None and until > patience:
            raise TimeLimitError

    def stand_still(self, seconds: float) -> None:
        """Have the running process do nothing for a while, as when its machine has no time for it."""
        self.stood_still.append((self._now, seconds))
        self.sleep(seconds)

    def map_concurrent(self, work: Callable[[Any], Any], items: Iterable[Any], _limit: int) -> list[Any]:
        """Do the same with several things, as threads of the running process: a kill of one kills all.

        A test that calls a function without any process has no time to share: one thing after the other.
        """
        things = list(items)
        if self._running is None:
            return [work(thing) for thing in things]
        results: dict[int, Any] = {}
        ended: list[bool] = []

        def run(number: int) -> None:
            killed = True
            try:
                results[number] = work(things[number])
                killed = False
            except Exception:
                killed = False
                raise
            finally:
                ended.append(killed)

        for number in range(len(things)):
            self.spawn(_THREAD, partial(copy_context().run, run, number))
        while len(ended) < len(things) and not any(ended):
            self.sleep(0.1)
        if any(ended):
            raise KilledError
        return [results[number] for number in range(len(things))]

    @contextmanager
    def beside(self, work: Callable[[], None], interval: float) -> Iterator[None]:
        """Do something each so many seconds while the running process is in the block."""
        following: Process

        def again() -> None:
            nonlocal following
            work()
            following = self.spawn("beside", again, interval)

        following = self.spawn("beside", again, interval)
        try:
            yield
        finally:
            following.killed = True

    def kill(self, names: Collection[str]) -> None:
        """Kill, as they sleep, all processes of these names, and their threads; the running one has to end itself."""
        processes = [process for *_, process in self._queue]
        doomed = [process for process in processes if process.has_begun and process.name in {*names, _THREAD}]
        self._queue = [each for each in self._queue if each[-1] not in doomed]
        heapq.heapify(self._queue)
        for process in doomed:
            process.killed = True
            self._push(process, self._now)

    def patience(self, seconds: float | None) -> None:
        """Say how long the running process waits for what it has asked (None: as long as it takes)."""
        if self._running is not None:
            self._running.patience = None if seconds is None else self._now + timedelta(seconds=seconds)

    def run(self, seconds: float, done: Callable[[], bool]) -> bool:
        """Let time pass until `done`, at most so many seconds; says whether it is done."""
        end = self._now + timedelta(seconds=seconds)
        while self._queue and self._queue[0][0] <= end:
            at, *_, process = heapq.heappop(self._queue)
            if process.is_cancelled:
                continue
            self._now = at
            self._running = process
            process.resume()
            self._running = None
            if process.error is not None:
                raise process.error
            if done():
                return True
        return False

    def _push(self, process: Process, at: datetime) -> None:
        tie = 0.0 if self.random is None else self.random.random()
        heapq.heappush(self._queue, (at, tie, next(self._count), process))
