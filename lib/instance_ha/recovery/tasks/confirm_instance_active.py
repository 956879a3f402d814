"""ConfirmInstanceActiveTask: the instance that was started runs."""

from instance_ha.decide import power
from instance_ha.decide.power import Broken, Leave, Step
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import Done, Outcome, Recovery
from instance_ha.recovery.tasks.stop_instance import instance_of, leave
from instance_ha.recovery.waiting import wait


def confirm_instance_active(recovery: Recovery, task: TaskRow) -> Outcome:
    """Wait until Nova calls the instance active."""
    instance = instance_of(recovery)
    if not task.details:
        recovery.report(task, 0.0, f"Confirming that instance {instance} is active")
    limit = recovery.world.settings.wait_period_after_power_on
    complaint = f"instance {instance} did not start within {limit:.0f} s"
    return wait(recovery, task, limit, complaint, lambda: _look(recovery, task, instance))


def _look(recovery: Recovery, task: TaskRow, instance: str) -> Outcome | None:
    nova = recovery.world.nova
    server = nova.server(instance)
    verdict = power.next_to_confirm(server)
    if verdict is Step.START and server is not None:
        verdict = power.start(server, nova.last_power_action(instance), asked=True)
        if verdict is Step.START:  # nobody has started it, so waiting for it makes no sense
            verdict = Broken(f"instance {instance} is stopped")
    if isinstance(verdict, Leave):
        return leave(recovery, task, verdict)
    if isinstance(verdict, Broken):
        raise RecoveryFailed(verdict.message)
    if verdict is Step.WAIT:
        return None
    recovery.report(task, 1.0, f"Instance {instance} is active again", TaskState.SUCCESS)
    recovery.world.step("vm-active")
    return Done()
