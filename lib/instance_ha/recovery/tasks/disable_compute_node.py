"""DisableComputeNodeTask: nothing new comes to a host whose nova-compute has failed; its instances run on."""

from instance_ha import log
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import CloudTimeout, RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import Done, Outcome, Recovery
from instance_ha.recovery.tasks.disable_compute_service import DISABLE_TIMEOUT


def disable_compute_node(recovery: Recovery, task: TaskRow) -> Outcome:
    """Disable the service; whether Nova has done it is confirmed by the next task."""
    world, name = recovery.world, recovery.host.name
    if not task.details:
        recovery.report(task, 0.0, f"Disabling compute service on host {name}")
    service = world.nova.service(name)
    if service is None:
        raise RecoveryFailed(f"Nova knows no compute service on host {name}")
    if service.disabled:
        recovery.report(task, 1.0, f"Compute service on host {name} is already disabled", TaskState.SUCCESS)
        return Done()
    reason = world.settings.process_failure_service_disable_reason
    try:
        world.nova.disable_service(service.id, reason, force_down=False, timeout=DISABLE_TIMEOUT)
    except CloudTimeout:
        log.get().info("Nova is slow to answer about a dead service", host=name)
    log.get().info("compute service disabled", host=name)
    world.step("process-service-disabled")
    recovery.report(task, 1.0, f"Disabled compute service on host {name}", TaskState.SUCCESS)
    return Done()
