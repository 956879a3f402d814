"""Tasks that are URLs: a function of an operator's own is sent a CloudEvent, and its answer is taken."""

from dataclasses import asdict

from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.recovery import Done, NotYet, Outcome, Recovery
from instance_ha.recovery.tasks.custom import gather


def run_remote(url: str, recovery: Recovery, task: TaskRow) -> Outcome:
    """Ask until the function says that it is done; the event's id is the same each time, so that it can tell."""
    if not task.details:
        recovery.progress(task, 0.0, f"Asking {url}")
    identity = f"{task.notification_uuid}-{task.attempt}-{task.position}"
    data = asdict(gather(recovery, task))

    def is_done() -> bool:
        recovery.world.breakpoint(Breakpoint.REMOTE_TASK_DUE)
        answer = recovery.world.remote.ask(url, identity, data, recovery.world.clock.now())
        if answer.state == "failed":
            raise RecoveryFailed(f"task {url} failed: {answer.message}")
        return answer.state == "done"

    limit = recovery.world.settings.remote_task_time_limit
    if not recovery.wait_until(task, limit, is_done, f"task {url} did not end"):
        return NotYet()
    recovery.progress(task, 1.0, f"{url} is done", TaskState.SUCCESS)
    return Done()
