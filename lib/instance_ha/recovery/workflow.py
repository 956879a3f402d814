"""The workflow of a recovery, whatever has failed: one invocation's share of what a notification asks for.

An invocation claims the notification (claim.py), begins an attempt (start.py), goes on with the first task that has
not worked yet (tasks/), and ends the recovery (end.py) or hands it over when its time is up. It may be killed
anywhere, run twice, or be too late: the rows say what was done.
"""

from instance_ha import emit, log
from instance_ha.decide import failures
from instance_ha.decide.flows import flow_after, flows_for
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import FINAL_NOTIFICATION, Flow, NotificationStatus, NotificationType
from instance_ha.models.errors import CloudRefused, NoFlowHelps, RecoveryDenied, RecoveryFailed
from instance_ha.models.rows import Host, Notification
from instance_ha.models.triggers import Trigger, recovery_of
from instance_ha.recovery import flows
from instance_ha.recovery.claim import Claim, claim_notification
from instance_ha.recovery.end import close, fail
from instance_ha.recovery.final_check import final_check
from instance_ha.recovery.hold import check_not_denied, hold
from instance_ha.recovery.host_given_back import end_early, what_is_left
from instance_ha.recovery.late_fence import plan_late_fence
from instance_ha.recovery.recovery import Held, NotYet, Recovery, Skip
from instance_ha.recovery.start import start
from instance_ha.recovery.tasks.evacuate_instances import account, give_up
from instance_ha.store import hosts, policies, segments, tasks, vmoves
from instance_ha.world import RecoveryWorld

_DONE = {
    NotificationType.VM: "the instance was restarted",
    NotificationType.PROCESS: "the compute service was disabled",
    NotificationType.COMPUTE_HOST: "done",
}


def recover(world: RecoveryWorld, notification_uuid: str) -> None:
    """Advance a recovery as far as one invocation can."""
    claim = claim_notification(world, notification_uuid)
    if claim is None:
        log.get().debug("notification not claimable", notification_uuid=notification_uuid)
        return
    with log.bound(notification_uuid=notification_uuid):
        world.breakpoint(Breakpoint.RECOVERY_CLAIMED)
        with claim.lease_guard():
            _advance(claim)


def _advance(claim: Claim[Notification]) -> None:
    world = claim.world
    if claim.row.status in FINAL_NOTIFICATION:
        final_check(claim)
        return
    if failures.expired(claim.row, world.clock.now(), world.settings.notifications_expired_interval):
        _expire(claim)
        return
    host = _go_on(claim) if claim.row.status is NotificationStatus.RUNNING else start(claim)
    if host is not None:
        _run_flows(Recovery(claim, host))


def _go_on(claim: Claim[Notification]) -> Host | None:
    """Return the host of a recovery that runs; without one it ends."""
    with claim.read() as connection:
        host = hosts.by_uuid(connection, claim.row.source_host_uuid)
    if host is None:
        close(claim, NotificationStatus.FAILED, "the host is not registered any more")
    return host


_DISABLED = "the segment was disabled meanwhile"


def _stop(recovery: Recovery, reason: str) -> None:
    """End a recovery before its next task, since its segment was disabled meanwhile, or it was denied."""
    notification = recovery.notification
    with recovery.claim.read() as connection:
        task = tasks.next_open(connection, notification.notification_uuid, notification.attempt)
    given_back = end_early(recovery)
    reasons = f"{reason}: stopped before {task.name}" if task else reason, given_back.text
    close(recovery.claim, NotificationStatus.IGNORED, "; ".join(filter(None, reasons)), given_back.host_changes)


def _expire(claim: Claim[Notification]) -> None:
    """End what has lasted too long; a reserved host that received nothing is given back."""
    with claim.read() as connection:
        host = hosts.by_uuid(connection, claim.row.source_host_uuid)
        task = tasks.next_open(connection, claim.row.notification_uuid, claim.row.attempt)
    kept, left = None, what_is_left(Recovery(claim, host)) if host is not None else None
    if host is not None and task is not None and task.flow is Flow.HOST_RESERVED:
        kept = give_up(Recovery(claim, host), task)
    was_held = claim.row.message if claim.row.held_since else None
    reasons = filter(None, ("it was not done in time and has expired", was_held, left, kept))
    close(claim, NotificationStatus.FAILED, "; ".join(reasons))


def _run_flows(recovery: Recovery) -> None:
    """Run the flow that is planned; when it fails, run the next one of the segment's method."""
    try:
        while not _run_flow(recovery):
            pass
    except RecoveryDenied as denial:
        _stop(recovery, str(denial))


def _run_flow(recovery: Recovery) -> bool:
    """Run the flow that is planned, as far as it comes; False when it has failed, and another one is planned.

    Raises:
        RecoveryDenied: an operator has denied the recovery while it was held.

    """
    claim = recovery.claim
    try:
        with claim.read() as connection:
            check_not_denied(claim, connection)
        if (held := plan_late_fence(recovery)) is not None:
            hold(claim, held)
        else:
            _run_tasks(recovery)
    except (RecoveryFailed, CloudRefused) as error:
        if not isinstance(error, NoFlowHelps) and _plan_next_flow(recovery, str(error)):
            return False
        fail(claim, str(error))
    return True


def _plan_next_flow(recovery: Recovery, reason: str) -> bool:
    """Plan the flow that takes what the failed one left over; False: there is none."""
    world, notification, now = recovery.world, recovery.notification, recovery.world.clock.now()
    uuid, attempt = notification.notification_uuid, notification.attempt
    with recovery.claim.transaction() as connection:
        failed = tasks.next_open(connection, uuid, attempt)
        segment = segments.find(connection, recovery.host.failover_segment_id)
        flow = flow_after(failed.flow, flows_for(notification.type, segment.recovery_method)) if failed else None
        if failed is None or flow is None or not segment.enabled:
            return False
        fence = policies.of_segment(connection, recovery.host.failover_segment_id).fence
        tasks.fail(connection, failed, now, reason)
        ended = vmoves.ignore_open(connection, uuid, reason, now)
        emit.vmoves_ended(world, connection, [move.uuid for move in ended])
        tasks.plan(connection, uuid, attempt, flow, flows.shown_names(world.settings, flow, fence))
    log.get().warning("flow failed, next flow planned", flow=str(flow), reason=reason)
    world.breakpoint(Breakpoint.NEXT_FLOW_PLANNED)
    return True


def _run_tasks(recovery: Recovery) -> None:
    claim, notification = recovery.claim, recovery.notification
    uuid, segment = notification.notification_uuid, recovery.host.failover_segment_id
    while True:
        with claim.read() as connection:
            task, enabled = tasks.next_to_run(connection, uuid, notification.attempt, segment)
            must_run_again = task is not None and not enabled and tasks.has_stopped(connection, uuid)
            moves, result = account(connection, notification) if task is None else ([], None)
        if task is None:
            message = result.text if result and moves else _DONE[notification.type]
            close(claim, NotificationStatus.FINISHED, message)
            return
        if not enabled and not task.details and not must_run_again:
            _stop(recovery, _DISABLED)
            return
        with log.bound(task=task.name):
            outcome = flows.find(task.name)(recovery, task)
        if isinstance(outcome, Skip):
            claim.world.breakpoint(Breakpoint.RECOVERY_SKIPPED)
            close(claim, outcome.status, outcome.reason, outcome.host_changes, task)
            return
        if isinstance(outcome, Held):
            if enabled:
                hold(claim, outcome.hold)
            else:
                _stop(recovery, _DISABLED)
            return
        if isinstance(outcome, NotYet):
            kind = recovery_of(notification.type)
            claim.hand_over(Trigger(kind, notification.notification_uuid, notification.request_id))
            return
