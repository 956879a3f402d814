"""DisableComputeServiceTask: nothing new comes to the host, and Nova agrees that it is down."""

from instance_ha import log
from instance_ha.decide.service import ServiceStep, next_step
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import CloudTimeout, NoFlowHelps
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.recovery import Done, NotYet, Outcome, Recovery

# Nova stores the change first and then calls the dead nova-compute for a minute; the next look tells.
DISABLE_TIMEOUT = 5.0


def disable_compute_service(recovery: Recovery, task: TaskRow) -> Outcome:
    """Disable the service and ask until Nova calls it down."""
    name = recovery.host.name
    if not task.details:
        recovery.progress(task, 0.0, f"Disabling compute service on host {name}")
    if not _wait_until_down(recovery, task):
        return NotYet()
    log.get().info("compute service is down", host=name)
    recovery.progress(task, 1.0, f"Disabled compute service on host {name}", TaskState.SUCCESS)
    recovery.world.breakpoint(Breakpoint.SERVICE_DOWN)
    return Done()


def _wait_until_down(recovery: Recovery, task: TaskRow) -> bool:
    """Do what is to be done, and wait; False when the invocation's time is up."""
    world, name = recovery.world, recovery.host.name
    while True:
        service = recovery.nova.service(name)
        if service is None:
            raise NoFlowHelps(f"Nova knows no compute service on host {name}")
        step = next_step(service, world.settings.force_down)
        if step is ServiceStep.READY:
            return True
        give_up = recovery.give_up_at(task, world.settings.wait_period_after_service_update)
        if step is ServiceStep.DISABLE:
            _disable(recovery, service)
        if world.clock.now() >= give_up:
            raise NoFlowHelps(f"Nova still calls the compute service of {name} up: is the host really dead?")
        if recovery.claim.out_of_time:
            return False
        if step is ServiceStep.WAIT:
            recovery.claim.pause()


def _disable(recovery: Recovery, service: ComputeService) -> None:
    settings = recovery.world.settings
    disable(recovery, service, settings.service_disable_reason, force_down=settings.force_down)


def disable(recovery: Recovery, service: ComputeService, reason: str, *, force_down: bool) -> None:
    """Disable a compute service whose host may be dead."""
    try:
        recovery.nova.disable_service(service.id, reason, force_down, DISABLE_TIMEOUT)
    except CloudTimeout:
        log.get().info("Nova is slow to answer about a dead service", host=service.host)
    log.get().info("compute service disabled", host=service.host, forced_down=force_down or None)
    recovery.world.breakpoint(Breakpoint.SERVICE_DISABLED)
