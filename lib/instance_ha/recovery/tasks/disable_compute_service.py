"""DisableComputeServiceTask: nothing new comes to the host, and Nova agrees that it is down."""

from dataclasses import replace

from instance_ha import log
from instance_ha.decide.service import (
    Reports,
    ServiceBefore,
    ServiceStep,
    before_change,
    count_report,
    is_up_since,
    next_step,
)
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import CloudTimeout, NoFlowHelps
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.hold import check_evidence, go_on, hypervisor_is_awaited
from instance_ha.recovery.live_host import end_for_live_host
from instance_ha.recovery.recovery import Done, Held, NotYet, Outcome, Recovery
from instance_ha.recovery.storm import storm
from instance_ha.store import tasks

# Nova stores the change first and then calls the dead nova-compute for a minute; the next question tells.
DISABLE_TIMEOUT = 5.0


def disable_compute_service(recovery: Recovery, task: TaskRow) -> Outcome:
    """Disable the service and ask until Nova calls it down; a host that proves to be alive gets back what it was."""
    name = recovery.host.name
    if not task.details:
        recovery.progress(task, 0.0, f"Disabling compute service on host {name}")
    outcome = _wait_until_down(recovery, task)
    if isinstance(outcome, Done):
        go_on(recovery.claim)
        log.get().info("compute service down", host=name)
        recovery.progress(task, 1.0, f"Disabled compute service on host {name}", TaskState.SUCCESS)
        recovery.world.breakpoint(Breakpoint.SERVICE_DOWN)
    return outcome


def _wait_until_down(recovery: Recovery, task: TaskRow) -> Outcome:
    world, name = recovery.world, recovery.host.name
    has_fenced, reports, give_up_at = recovery.has_fenced, tasks.remembered(task, Reports), None
    while True:
        service = recovery.nova.service(name)
        if service is None:
            raise NoFlowHelps(f"Nova knows no compute service on host {name}")
        force_down = has_fenced or _was_fenced_before(recovery, service)
        step = next_step(service, force_down)
        is_ready = step is ServiceStep.READY and not hypervisor_is_awaited(recovery.claim)
        is_counted = _are_reports_counted(service, step, force_down, is_ready)
        reports = _count_report(recovery, task, reports, service) if is_counted else reports
        if is_ready:
            return _decide(recovery, service)
        give_up_at = give_up_at or recovery.give_up_at(
            task, world.settings.wait_period_after_service_update, f"Nova calls the compute service of {name} down"
        )
        is_late = world.clock.now() >= give_up_at
        if is_late and reports is not None and _is_in_vain(recovery, step, reports):
            return _end_wait(recovery, task, reports)
        if step is ServiceStep.DISABLE:
            _disable(recovery, task, service, force_down)
        if recovery.claim.out_of_time:
            return NotYet()
        if step is not ServiceStep.DISABLE:
            recovery.claim.pause()


def _was_fenced_before(recovery: Recovery, service: ComputeService) -> bool:
    """Say whether the host was fenced before its report, as `force_down` says of all, and not started again since."""
    is_back = is_up_since(service, recovery.notification.created_at)
    return recovery.world.settings.force_down and not is_back


def _decide(recovery: Recovery, service: ComputeService) -> Outcome:
    held = check_evidence(recovery.claim, recovery.host, service)
    if held is None:
        held = storm(recovery)
    return Done() if held is None else Held(held)


def _are_reports_counted(service: ComputeService, step: ServiceStep, force_down: bool, is_ready: bool) -> bool:
    """Say whether the reports of a service are counted: while it is waited for, and from when it was forced down.

    Of that one only they tell that it is back; and to force it down changes its record, as a report does.
    """
    is_forced_now = step is ServiceStep.DISABLE and force_down
    return not is_forced_now and (service.forced_down or not is_ready)


def _is_in_vain(recovery: Recovery, step: ServiceStep, reports: Reports) -> bool:
    """Say whether a wait that is over was in vain: what could not be disabled in time is disabled late."""
    if step is ServiceStep.DISABLE:
        return reports.is_up
    return step is ServiceStep.WAIT and not _may_be_back(recovery, reports)


def _may_be_back(recovery: Recovery, reports: Reports) -> bool:
    """Say whether a host whose recovery was held may have come back: one more report will tell."""
    return recovery.notification.held_since is not None and not (reports.is_alive or reports.is_up)


def _count_report(recovery: Recovery, task: TaskRow, before: Reports | None, service: ComputeService) -> Reports:
    if before is None and service.forced_down:  # by an earlier flow or attempt, perhaps, which has heard it since
        with recovery.claim.read() as connection:
            before = tasks.recall_latest(connection, recovery.notification.notification_uuid, Reports)
    reports = count_report(before, service, recovery.world.clock.now(), recovery.world.settings.nova_report_interval)
    if reports != before:
        recovery.remember(task, reports)
    return reports


def _end_wait(recovery: Recovery, task: TaskRow, reports: Reports) -> Outcome:
    if not reports.is_up:
        if not reports.is_alive:
            name = recovery.host.name
            raise NoFlowHelps(f"Nova still calls the compute service of {name} up: is the host really dead?")
        recovery.remember(task, replace(reports, is_up=True))  # that stays so, however long what follows takes
    return end_for_live_host(recovery, task)


def _disable(recovery: Recovery, task: TaskRow, service: ComputeService, force_down: bool) -> None:
    with recovery.claim.read() as connection:
        before = tasks.recall_latest(connection, recovery.notification.notification_uuid, ServiceBefore)
    if before is None:
        recovery.remember(task, before_change(service))
    disable(recovery, service, recovery.world.settings.service_disable_reason, force_down=force_down)


def disable(recovery: Recovery, service: ComputeService, reason: str, *, force_down: bool) -> None:
    """Disable a compute service whose host may be dead."""
    try:
        recovery.nova.disable_service(service.id, reason, force_down, DISABLE_TIMEOUT)
    except CloudTimeout:
        log.get().info("Nova slow to disable a dead service", host=service.host)
    log.get().info("compute service disabled", host=service.host, forced_down=force_down or None)
    recovery.world.breakpoint(Breakpoint.SERVICE_DISABLED)
