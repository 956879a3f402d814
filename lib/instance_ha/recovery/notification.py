"""One invocation's share of the recovery that a notification asks for, whatever has failed.

An invocation claims the notification, goes on with the first task that has not worked yet, and hands over
when its time is up. It may be killed anywhere, run twice, or be too late: the rows say what was done.
"""

from collections.abc import Iterable
from datetime import timedelta

from instance_ha import emit, log
from instance_ha.decide import failures
from instance_ha.decide.flows import flow_after, flows_for
from instance_ha.decide.outcome import after_failure, latest, tally
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import Flow, NotificationStatus, NotificationType
from instance_ha.models.errors import CloudRefused, CloudUnavailable, NoFlowHelps, RecoveryFailed
from instance_ha.models.rows import Notification, VMove
from instance_ha.models.triggers import Trigger, recovery_of
from instance_ha.recovery import flows
from instance_ha.recovery.context import NotYet, Recovery, Skip
from instance_ha.recovery.holding import holding
from instance_ha.recovery.take_host import take_host
from instance_ha.recovery.tasks.evacuate_instances import give_up
from instance_ha.store import hosts, notifications, segments, tasks, vmoves
from instance_ha.store.leases import Lease
from instance_ha.world import World, new_owner

_HOST_BUSY_PAUSE = 10.0  # before looking again whether the other recovery of the host has ended
_DONE = {
    NotificationType.VM: "the instance was restarted",
    NotificationType.PROCESS: "the compute service was disabled",
    NotificationType.COMPUTE_HOST: "done",
}


def recover(world: World, notification_uuid: str) -> None:
    """Advance a recovery as far as one invocation can."""
    with world.database.begin() as connection:
        now, seconds = world.clock.now(), world.settings.lease_time
        notification = notifications.claim(connection, notification_uuid, new_owner(), now, seconds)
    if notification is None:
        log.get().debug("notification is not to be had", notification_uuid=notification_uuid)
        return
    with log.bound(notification_uuid=notification_uuid):
        world.breakpoint(Breakpoint.RECOVERY_CLAIMED)
        lease = notifications.lease(notification, world.settings.lease_time)
        with holding(world, lease, notification.tries):
            _advance(world, lease, notification)


def _advance(world: World, lease: Lease, notification: Notification) -> None:
    deadline = world.deadline()
    if failures.expired(notification, world.clock.now(), world.settings.notifications_expired_interval):
        _expire(world, lease, notification)
        return
    if notification.status is not NotificationStatus.RUNNING:
        started = _start(world, lease, notification)
        if started is None:
            return
        notification = started
    with world.database.begin() as connection:
        host = hosts.by_uuid(connection, notification.source_host_uuid)
    if host is None:
        _close(world, lease, notification, NotificationStatus.FAILED, "the host is not registered any more")
        return
    _run_flows(Recovery(world, lease, notification, host, deadline))


def _expire(world: World, lease: Lease, notification: Notification) -> None:
    """End what has lasted too long; a reserved host that received nothing is given back."""
    with world.database.begin() as connection:
        host = hosts.by_uuid(connection, notification.source_host_uuid)
        task = tasks.next_open(connection, notification.notification_uuid, notification.attempt)
    if host is not None and task is not None and task.flow is Flow.HOST_RESERVED:
        give_up(Recovery(world, lease, notification, host, world.deadline()), task)
    _close(world, lease, notification, NotificationStatus.FAILED, "it was not done in time and has expired")


def _run_flows(recovery: Recovery) -> None:
    """Run the flow that is planned; when it fails, run the next one of the segment's method."""
    while True:
        try:
            _run_tasks(recovery)
            return
        except (RecoveryFailed, CloudRefused) as error:
            if isinstance(error, NoFlowHelps) or not _plan_next_flow(recovery, str(error)):
                _fail(recovery, str(error))
                return


def _plan_next_flow(recovery: Recovery, reason: str) -> bool:
    """Plan the flow that takes what the failed one left over; False: there is none."""
    world, notification, now = recovery.world, recovery.notification, recovery.world.clock.now()
    uuid, attempt = notification.notification_uuid, notification.attempt
    with world.database.begin() as connection:
        recovery.lease.renew(connection, now)
        failed = tasks.next_open(connection, uuid, attempt)
        segment = segments.find(connection, recovery.host.failover_segment_id)
        flow = flow_after(failed.flow, flows_for(notification.type, segment.recovery_method)) if failed else None
        if failed is None or flow is None or not segment.enabled:
            return False
        tasks.fail(connection, failed, now, reason)
        emit.vmoves_ended(world, connection, vmoves.ignore_open(connection, uuid, reason, now))
        tasks.plan(connection, uuid, attempt, flow, flows.shown_names(world.settings, flow))
    log.get().warning("flow failed: another one takes what is left over", flow=str(flow), reason=reason)
    world.breakpoint(Breakpoint.NEXT_FLOW_PLANNED)
    return True


def _start(world: World, lease: Lease, notification: Notification) -> Notification | None:
    """Begin an attempt: the host goes on maintenance, the flow is written down. None: there is nothing to begin."""
    now, uuid = world.clock.now(), notification.notification_uuid
    with world.database.begin() as connection:
        host = hosts.by_uuid(connection, notification.source_host_uuid)
        segment = segments.find(connection, host.failover_segment_id) if host else None
        verdict = failures.evaluate(notification, segment)
    if isinstance(verdict, failures.Close) or host is None:
        verdict = verdict if isinstance(verdict, failures.Close) else failures.gone()
        _close(world, lease, notification, verdict.status, verdict.message)
        return None
    attempt = notification.attempt + 1
    with world.database.begin() as connection:
        ended = take_host(connection, lease, notification, attempt, now)
        if ended is None:
            lease.release(connection, now + timedelta(seconds=_HOST_BUSY_PAUSE))
            log.get().info("another recovery of the host or the instance is running", host=host.name)
            return None
        for superseded in ended:
            emit.recovery_ended(world, connection, superseded)
        if verdict.host_changes:
            changes = failures.host_changes(verdict, host, notification)
            emit.host_changed(world, connection, hosts.change(connection, host.uuid, changes, now))
        flow = verdict.flows[0]
        tasks.plan(connection, uuid, attempt, flow, flows.shown_names(world.settings, flow))
        started = notifications.find(connection, uuid)
        emit.recovery_started(world, connection, started)
    log.get().info("recovery started", host=host.name, attempt=attempt)
    world.breakpoint(Breakpoint.RECOVERY_STARTED)
    return started


def _run_tasks(recovery: Recovery) -> None:
    world, notification = recovery.world, recovery.notification
    while True:
        with world.database.begin() as connection:
            task = tasks.next_open(connection, notification.notification_uuid, notification.attempt)
            enabled = segments.is_enabled(connection, recovery.host.failover_segment_id)
        if task is None:
            _finish(recovery)
            return
        if not enabled and not task.details:
            reason = f"the segment was disabled meanwhile: stopped before {task.name}"
            _close(world, recovery.lease, notification, NotificationStatus.IGNORED, reason)
            return
        with log.bound(task=task.name):
            outcome = flows.find(task.name)(recovery, task)
        if isinstance(outcome, Skip):
            _close(world, recovery.lease, notification, outcome.status, outcome.reason)
            return
        if isinstance(outcome, NotYet):
            _hand_over(recovery)
            return


def _hand_over(recovery: Recovery) -> None:
    """Let another invocation go on at once."""
    world, notification = recovery.world, recovery.notification
    with world.database.begin() as connection:
        recovery.lease.release(connection, world.clock.now(), tries=0)
    log.get().info("time is up: another invocation goes on")
    world.publisher.publish(
        [Trigger(recovery_of(notification.type), notification.notification_uuid, notification.request_id)]
    )


def _finish(recovery: Recovery) -> None:
    world, notification = recovery.world, recovery.notification
    with world.database.begin() as connection:
        moves = vmoves.of_attempt(connection, notification.notification_uuid, notification.attempt)
    message = tally(latest(moves)).text if moves else _DONE[notification.type]
    _close(world, recovery.lease, notification, NotificationStatus.FINISHED, message)


def _close(world: World, lease: Lease, notification: Notification, status: NotificationStatus, message: str) -> None:
    """End a notification for good; the message says why."""
    now = world.clock.now()
    with world.database.begin() as connection:
        ongoing = vmoves.ongoing(connection, notification.notification_uuid)
        lease.release(connection, None, status=status, message=message, updated_at=now)
        closed = vmoves.ignore_open(connection, notification.notification_uuid, message, now)
        tasks.abandon(connection, notification.notification_uuid, now, message)
        waiting = notifications.waiting_for_host(connection, notification.source_host_uuid)
        emit.vmoves_ended(world, connection, closed)
        if notification.status is not NotificationStatus.RUNNING:  # it is over before it has begun
            emit.recovery_started(world, connection, notification)
        emit.recovery_ended(world, connection, notification.notification_uuid)
    log.get().info("notification closed", status=str(status), message=message)
    world.publisher.publish(Trigger(recovery_of(row.type), row.notification_uuid, row.request_id) for row in waiting)
    world.breakpoint(Breakpoint.RECOVERY_CLOSED)
    _unlock(world, [move for move in ongoing if move.locked_by_us])


def _unlock(world: World, moves: Iterable[VMove]) -> None:
    """Give instances back to their owners whose evacuation nobody follows any more."""
    for move in moves:
        try:
            world.nova.unlock(move.instance_uuid)
        except (CloudRefused, CloudUnavailable) as error:
            log.get().warning("instance not unlocked", instance_uuid=move.instance_uuid, reason=str(error))


def _fail(recovery: Recovery, reason: str) -> None:
    """End an attempt; another one is due later, unless this was the last."""
    world, notification = recovery.world, recovery.notification
    settings, now = world.settings, world.clock.now()
    retry = after_failure(
        notification.attempt,
        settings.recovery_attempts,
        now,
        settings.process_unfinished_notifications_interval,
    )
    with world.database.begin() as connection:
        task = tasks.next_open(connection, notification.notification_uuid, notification.attempt)
        if task is not None:
            tasks.fail(connection, task, now, reason)
        recovery.lease.release(connection, retry.due_at, status=retry.status, message=reason, updated_at=now)
        closed = vmoves.ignore_open(connection, notification.notification_uuid, reason, now)
        emit.vmoves_ended(world, connection, closed)
        emit.recovery_ended(world, connection, notification.notification_uuid)
    log.get().warning("recovery attempt failed", status=str(retry.status), reason=reason)
    world.breakpoint(Breakpoint.RECOVERY_FAILED)
