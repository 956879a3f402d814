"""One invocation's share of the recovery that a notification asks for, whatever has failed.

An invocation claims the notification, goes on with the first task that has not worked yet, and hands over
when its time is up. It may be killed anywhere, run twice, or be too late: the rows say what was done.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from instance_ha import log
from instance_ha.decide import reports
from instance_ha.decide.outcome import after_failure, tally
from instance_ha.models.enums import NotificationStatus, NotificationType, TaskState, VMoveStatus
from instance_ha.models.errors import CloudRefused, RecoveryFailed
from instance_ha.models.rows import Notification, TaskRow
from instance_ha.models.work import Work, recovery_of
from instance_ha.recovery import expiry, flows
from instance_ha.recovery.context import NotYet, Recovery, Skip, Task
from instance_ha.recovery.holding import holding
from instance_ha.store import hosts, notifications, segments, tasks, vmoves
from instance_ha.store.work import Lease
from instance_ha.world import World, new_owner

_HOST_BUSY_PAUSE = 10.0  # before looking again whether the other recovery of the host has ended


def recover(world: World, notification_uuid: str) -> None:
    """Advance a recovery as far as one invocation can."""
    with world.database.begin() as connection:
        now, seconds = world.clock.now(), world.settings.lease_time
        notification = notifications.claim(connection, notification_uuid, new_owner(), now, seconds)
    if notification is None:
        log.get().debug("notification is not to be had", notification_uuid=notification_uuid)
        return
    with log.bound(notification_uuid=notification_uuid):
        world.step("host-claimed")
        lease = notifications.lease(notification, world.settings.lease_time)
        with holding(world, lease, notification.tries):
            _advance(world, lease, notification)


def _advance(world: World, lease: Lease, notification: Notification) -> None:
    deadline = world.deadline()
    if reports.expired(notification, world.clock.now(), world.settings.notifications_expired_interval):
        expiry.leave_behind(world, lease, notification)
        _close(world, lease, notification, NotificationStatus.FAILED, expiry.MESSAGE)
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
    recovery = Recovery(world, lease, notification, host, deadline)
    try:
        _run_tasks(recovery)
    except (RecoveryFailed, CloudRefused) as error:
        _fail(recovery, str(error))


def _start(world: World, lease: Lease, notification: Notification) -> Notification | None:
    """Begin an attempt: the host goes on maintenance, the flow is written down. None: there is nothing to begin."""
    now, uuid = world.clock.now(), notification.notification_uuid
    with world.database.begin() as connection:
        host = hosts.by_uuid(connection, notification.source_host_uuid)
        segment = segments.find(connection, host.failover_segment_id) if host else None
        verdict = reports.judge(notification, segment)
    if isinstance(verdict, reports.Close) or host is None:
        verdict = verdict if isinstance(verdict, reports.Close) else reports.gone()
        _close(world, lease, notification, verdict.status, verdict.message)
        return None
    attempt = notification.attempt + 1
    with world.database.begin() as connection:
        if not _take_host(connection, lease, notification, attempt, now):
            lease.release(connection, now + timedelta(seconds=_HOST_BUSY_PAUSE))
            log.get().info("another recovery of the host is running", host=host.name)
            return None
        if changes := reports.host_changes(notification.type):
            hosts.change(connection, host.uuid, changes, now)
        tasks.plan(connection, uuid, attempt, flows.load(world.settings).names[verdict.flows[0]])
        started = notifications.find(connection, uuid)
    log.get().info("recovery started", host=host.name, attempt=attempt)
    world.step("host-started")
    return started


def _take_host(connection: Connection, lease: Lease, notification: Notification, attempt: int, now: datetime) -> bool:
    """Make this the one recovery of its host; that of the whole host supersedes one of a part of it."""
    if notifications.start(connection, lease, attempt, now):
        return True
    if notification.type is not NotificationType.COMPUTE_HOST:
        return False
    message = f"superseded by the recovery of the whole host, notification {notification.notification_uuid}"
    for ended in notifications.supersede(connection, notification.source_host_uuid, message, now):
        task = tasks.next_open(connection, ended.notification_uuid, ended.attempt)
        if task is not None:
            tasks.report(connection, task, now, 1.0, message, TaskState.FAILURE)
        log.get().info("recovery superseded", type=str(ended.type), superseded=ended.notification_uuid)
    return notifications.start(connection, lease, attempt, now)


def _run_tasks(recovery: Recovery) -> None:
    world, notification = recovery.world, recovery.notification
    while True:
        with world.database.begin() as connection:
            task = tasks.next_open(connection, notification.notification_uuid, notification.attempt)
        if task is None:
            _finish(recovery, Skip(_result(recovery)))
            return
        with log.bound(task=task.name):
            outcome = _task(recovery, task)(recovery, task)
        if isinstance(outcome, Skip):
            _finish(recovery, outcome)
            return
        if isinstance(outcome, NotYet):
            _hand_over(recovery)
            return


def _task(recovery: Recovery, row: TaskRow) -> Task:
    try:
        return flows.load(recovery.world.settings).tasks[row.name]
    except KeyError:
        raise RecoveryFailed(f"task {row.name} is in no flow any more: the configuration has changed") from None


def _hand_over(recovery: Recovery) -> None:
    """Let another invocation go on at once."""
    world, notification = recovery.world, recovery.notification
    with world.database.begin() as connection:
        recovery.lease.release(connection, world.clock.now(), tries=0)
    log.get().info("time is up: another invocation goes on")
    world.publisher.publish(
        [Work(recovery_of(notification.type), notification.notification_uuid, notification.request_id)]
    )


def _finish(recovery: Recovery, end: Skip) -> None:
    _close(recovery.world, recovery.lease, recovery.notification, end.status, end.reason)


def _result(recovery: Recovery) -> str:
    """Say in a sentence what the tasks have achieved; for an instance or a process the last of them has said it."""
    uuid, attempt = recovery.notification.notification_uuid, recovery.notification.attempt
    with recovery.world.database.begin() as connection:
        if recovery.notification.type is NotificationType.COMPUTE_HOST:
            return tally(vmoves.of_attempt(connection, uuid, attempt)).text
        done = [task for task in tasks.of_notification(connection, uuid) if task.attempt == attempt]
    said = [task.details[-1]["message"] for task in done if task.name in flows.ACHIEVING and task.details]
    return said[-1] if said else "all tasks have worked"


def _close(world: World, lease: Lease, notification: Notification, status: NotificationStatus, message: str) -> None:
    """End a notification for good; the message says why."""
    now = world.clock.now()
    with world.database.begin() as connection:
        lease.release(connection, None, status=status, message=message, updated_at=now)
        vmoves.close_open(connection, notification.notification_uuid, VMoveStatus.IGNORED, message, now)
    log.get().info("notification closed", status=str(status), message=message)
    world.step("host-closed")
    _wake_next(world, notification)


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
            tasks.report(connection, task, now, 1.0, f"Failed: {reason}", TaskState.FAILURE)
        recovery.lease.release(connection, retry.due_at, status=retry.status, message=reason, updated_at=now)
        vmoves.close_open(connection, notification.notification_uuid, VMoveStatus.IGNORED, reason, now)
    log.get().warning("recovery attempt failed", status=str(retry.status), reason=reason)
    world.step("host-failed")
    _wake_next(world, notification)


def _wake_next(world: World, ended: Notification) -> None:
    """Let the next report of the host begin at once: there is one recovery a host at a time."""
    with world.database.begin() as connection:
        waiting = notifications.next_waiting(connection, ended.source_host_uuid, world.clock.now())
    if waiting is not None:
        world.publisher.publish([Work(recovery_of(waiting.type), waiting.notification_uuid, waiting.request_id)])
