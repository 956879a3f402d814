"""ConfirmComputeNodeDisabledTask: Nova agrees that nothing new comes to the host."""

from instance_ha.models.enums import TaskState
from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import Done, Outcome, Recovery
from instance_ha.recovery.waiting import wait


def confirm_compute_node_disabled(recovery: Recovery, task: TaskRow) -> Outcome:
    """Wait until Nova calls the service disabled."""
    name = recovery.host.name
    if not task.details:
        recovery.report(task, 0.0, f"Confirming that the compute service on host {name} is disabled")
    limit = recovery.world.settings.wait_period_after_service_update
    complaint = f"Nova does not call the compute service on host {name} disabled"
    return wait(recovery, task, limit, complaint, lambda: _look(recovery, task))


def _look(recovery: Recovery, task: TaskRow) -> Outcome | None:
    name = recovery.host.name
    service = recovery.world.nova.service(name)
    if service is None:
        raise RecoveryFailed(f"Nova knows no compute service on host {name}")
    if not service.disabled:
        return None
    recovery.report(task, 1.0, f"Compute service on host {name} is disabled", TaskState.SUCCESS)
    recovery.world.step("process-confirmed")
    return Done()
