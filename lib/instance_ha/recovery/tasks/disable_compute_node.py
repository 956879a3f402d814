"""DisableComputeNodeTask, ConfirmComputeNodeDisabledTask: nova-compute has failed."""

from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.recovery import Done, NotYet, Outcome, Recovery
from instance_ha.recovery.tasks.disable_compute_service import disable


def disable_compute_node(recovery: Recovery, task: TaskRow) -> Outcome:
    """Disable the compute service, so that nothing new is scheduled to it."""
    name = recovery.host.name
    if not task.details:
        recovery.progress(task, 0.0, f"Disabling compute service on host {name}")
    service = _service(recovery)
    if not service.disabled:
        reason = recovery.world.settings.process_failure_service_disable_reason
        disable(recovery, service, reason, force_down=False)
    state = "was disabled already" if service.disabled else "is disabled"
    recovery.progress(task, 1.0, f"Compute service on host {name} {state}", TaskState.SUCCESS)
    return Done()


def confirm_compute_node_disabled(recovery: Recovery, task: TaskRow) -> Outcome:
    """Wait until Nova says so."""
    name, limit = recovery.host.name, recovery.world.settings.wait_period_after_service_update
    if not task.details:
        recovery.progress(task, 0.0, f"Confirming that the compute service on host {name} is disabled")
    what = f"the compute service on host {name} was not disabled"
    if not recovery.wait_until(task, limit, lambda: _service(recovery).disabled, what):
        return NotYet()
    recovery.progress(task, 1.0, f"Confirmed that the compute service on host {name} is disabled", TaskState.SUCCESS)
    return Done()


def _service(recovery: Recovery) -> ComputeService:
    service = recovery.nova.service(recovery.host.name)
    if service is None:
        raise RecoveryFailed(f"Nova knows no compute service on host {recovery.host.name}")
    return service
