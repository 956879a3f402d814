"""A task that is a URL: a signed event is posted there, and the answer taken. It may last over invocations."""

from instance_ha import log
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import RecoveryFailed, TaskUnavailable
from instance_ha.models.rows import TaskRow
from instance_ha.recovery import facts
from instance_ha.recovery.context import Done, Outcome, Recovery, Task
from instance_ha.recovery.waiting import wait


def url_task(url: str, name: str) -> Task:
    """Make a task from a URL; ``name`` is what is shown of it, without what it may hold of secrets."""

    def run(recovery: Recovery, task: TaskRow) -> Outcome:
        if not task.details:
            recovery.report(task, 0.0, f"Asking {name}")
        limit = recovery.world.settings.url_task_time_limit
        complaint = f"task {name} did not end within {limit:g} s"
        pause = recovery.world.settings.url_task_interval
        return wait(recovery, task, limit, complaint, lambda: _look(recovery, task, url, name), pause)

    return run


def _look(recovery: Recovery, task: TaskRow, url: str, name: str) -> Outcome | None:
    event_id = f"{task.notification_uuid}/{task.attempt}/{task.position}"
    try:
        answer = recovery.world.url_tasks.ask(url, event_id, facts.of(recovery))
    except TaskUnavailable as error:
        log.get().warning("task does not answer", name=name, reason=str(error))
        return None
    recovery.world.step("task-answered")
    if answer.state == "failed":
        raise RecoveryFailed(f"task {name}: {answer.message or 'it has failed'}")
    if answer.state == "running":
        return None
    recovery.report(task, 1.0, answer.message or f"Task {name} ended", TaskState.SUCCESS)
    return Done()
