"""Third-party tasks: bounded in time, begun no more often than they allow, never holding the recovery for ever."""

from dataclasses import dataclass

from instance_ha import log
from instance_ha.custom import CustomTask, TaskFacts
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import Flow, TaskState
from instance_ha.models.errors import LeaseLost, RecoveryFailed, TimeIsUp, TryAgain
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.recovery import Done, NotYet, Outcome, Recovery
from instance_ha.store import segments, vmoves


def run_custom(custom: CustomTask, recovery: Recovery, task: TaskRow) -> Outcome:
    """Run a third-party task."""
    world = recovery.world
    if (recovery.claim.deadline - world.clock.now()).total_seconds() < custom.time_limit and not recovery.is_fresh:
        return NotYet()  # the next invocation has time enough for it
    begun = _begin(recovery, task)
    if begun > custom.attempts:
        return _failed(recovery, task, custom, "it was begun before, and whether it worked is not known")
    facts, progress = gather(recovery, task), _ProgressLines(recovery, task, custom.time_limit)
    try:
        recovery.claim.cover(custom.time_limit)
        world.with_timeout(lambda: custom.function(facts, progress), custom.time_limit)
    except (LeaseLost, TryAgain):
        raise
    except TimeIsUp:
        return _failed(recovery, task, custom, f"it did not end within {custom.time_limit:g} s")
    except Exception as error:
        log.get().warning("custom task raised", exc_info=error)
        return _failed(recovery, task, custom, f"{type(error).__name__}: {error}")
    finally:
        progress.is_open = False
    recovery.progress(task, 1.0, f"{task.name} is done", TaskState.SUCCESS)
    return Done()


@dataclass(frozen=True)
class _Begun:
    """How often the task has begun."""

    times: int = 0


class _ProgressLines:
    """Takes progress while the task runs; what an abandoned task says later is dropped."""

    def __init__(self, recovery: Recovery, task: TaskRow, seconds: float) -> None:
        self.is_open = True
        self._seconds = seconds
        self._recovery = recovery
        self._task = task

    def __call__(self, progress: float, message: str) -> None:
        if self.is_open:
            self._recovery.progress(self._task, min(max(float(progress), 0.0), 1.0), str(message)[:1000])
            self._recovery.claim.cover(self._seconds)


def _begin(recovery: Recovery, task: TaskRow) -> int:
    """Write down that it begins, before it does; returns how often it has."""
    before = recovery.recall(task, _Begun) or _Begun()
    recovery.remember(task, now := _Begun(before.times + 1))
    recovery.world.breakpoint(Breakpoint.CUSTOM_TASK_STARTED)
    return now.times


def _failed(recovery: Recovery, task: TaskRow, custom: CustomTask, reason: str) -> Outcome:
    if custom.required:
        raise RecoveryFailed(f"task {task.name} failed: {reason}")
    log.get().warning("optional custom task failed", task=task.name, reason=reason)
    recovery.progress(task, 1.0, f"Failed; the recovery goes on without it: {reason}", TaskState.SUCCESS)
    return Done()


def gather(recovery: Recovery, task: TaskRow) -> TaskFacts:
    """Tell a task what has failed."""
    notification, host = recovery.notification, recovery.host
    with recovery.claim.read() as connection:
        segment = segments.find(connection, host.failover_segment_id)
        moves = vmoves.of_attempt(connection, notification.notification_uuid, notification.attempt)
    targets = {move.target_host for move in moves if move.target_host}
    return TaskFacts(
        notification_uuid=notification.notification_uuid,
        host_name=host.name,
        segment_name=segment.name,
        flow=str(task.flow),
        instance_uuid=notification.instance_uuid,
        process_name=notification.payload.get("process_name"),
        reserved_hosts=tuple(sorted(targets)) if task.flow is Flow.HOST_RESERVED else (),
    )
