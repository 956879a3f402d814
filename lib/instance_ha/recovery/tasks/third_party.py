"""A task of another package: run beside us, bounded in time, and never more often than it allows.

Python cannot end a thread. One that outlasts its limit goes on, but nobody listens to it any more.
"""

from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Event

from instance_ha import log
from instance_ha.models.custom import CustomTask, TaskFacts
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery import facts
from instance_ha.recovery.context import Done, NotYet, Outcome, Recovery, Task
from instance_ha.recovery.waiting import keep, recall

_FIRST_LOOK = 0.05  # seconds; most tasks are short, and the pauses double


class _Job:
    """One run of a task, and what it says meanwhile."""

    def __init__(self, custom: CustomTask, told: TaskFacts) -> None:
        self._custom = custom
        self._told = told
        self._said: SimpleQueue[tuple[float, str]] = SimpleQueue()
        self._ended = Event()
        self.problem: str | None = None

    def run(self) -> None:
        """Run it, in whichever thread."""
        try:
            self._custom.run(self._told, lambda progress, message: self._said.put((float(progress), str(message))))
        except Exception as error:  # whatever it is, it is the task's failure and not ours
            self.problem = str(error) or type(error).__name__
        self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ended.is_set()

    def said(self) -> list[tuple[float, str]]:
        """Take what it has said since the last look."""
        lines: list[tuple[float, str]] = []
        with suppress(Empty):
            while True:
                lines.append(self._said.get_nowait())
        return lines


def third_party(custom: CustomTask) -> Task:
    """Make a task of ours from one of another package."""

    def run(recovery: Recovery, task: TaskRow) -> Outcome:
        return _run(custom, recovery, task)

    return run


def _run(custom: CustomTask, recovery: Recovery, task: TaskRow) -> Outcome:
    if not task.details:
        recovery.report(task, 0.0, f"Task {custom.name} started")
    kept = recall(recovery, task)
    runs, problem = kept.get("runs", 0), kept.get("problem", "")
    while runs <= custom.retries:
        if recovery.world.clock.now() + timedelta(seconds=custom.time_limit) > recovery.deadline:
            return NotYet()
        runs += 1
        keep(recovery, task, runs=runs, problem="it was begun, and how it ended is not known")
        recovery.world.step("task-begun")
        problem = _watch(recovery, task, _Job(custom, facts.of(recovery)), custom.time_limit)
        if not problem:
            recovery.report(task, 1.0, f"Task {custom.name} ended", TaskState.SUCCESS)
            recovery.world.step("task-ended")
            return Done()
        keep(recovery, task, problem=problem)
        log.get().warning("task of another package failed", name=custom.name, run=runs, reason=problem)
    raise RecoveryFailed(f"task {custom.name}: {problem}")


def _watch(recovery: Recovery, task: TaskRow, job: _Job, limit: float) -> str | None:
    """Start it and wait for its end; returns what went wrong."""
    clock, pause = recovery.world.clock, _FIRST_LOOK
    until = clock.now() + timedelta(seconds=limit)
    recovery.world.beside(job.run)
    while True:
        ended = job.ended
        for progress, message in job.said():
            recovery.report(task, progress, message)
        if ended:
            return job.problem
        if clock.now() >= until:
            return f"it did not end within {limit:g} s"
        recovery.renew()
        clock.sleep(pause)
        pause = min(2 * pause, recovery.world.settings.verify_interval)
