"""The end of an attempt, or of the whole recovery."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide.evacuation import lock_reason
from instance_ha.decide.failures import expires_at
from instance_ha.decide.outcome import after_failure
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import NotificationStatus, NotificationType, TaskState
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.rows import HostChanges, Notification, TaskRow, VMove
from instance_ha.models.triggers import Trigger, recovery_of
from instance_ha.recovery.claim import Claim
from instance_ha.recovery.hold import check_not_denied
from instance_ha.store import host_recoveries, hosts, returns, tasks, vmoves
from instance_ha.world import RecoveryWorld

_ATTEMPTS = 2  # at an instance or a process: what did not help twice will not
_FINAL_CHECK_LATER = 60.0  # seconds after the last moment at which Nova can carry out a request of the recovery


def close(
    claim: Claim[Notification],
    status: NotificationStatus,
    message: str,
    host_changes: HostChanges = MappingProxyType({}),
    task: TaskRow | None = None,
) -> None:
    """End a notification for good; the message says why. Its host, if it still is its own, is changed with it.

    ``task`` is the one that ends it. It stays open until now: killed before, it must not go on with the next one.
    """
    world, notification, now = claim.world, claim.row, claim.world.clock.now()
    due_at = _final_check_at(world, notification, now)
    with _end(claim, due_at, status, message, now) as connection:
        host = hosts.by_uuid(connection, notification.source_host_uuid) if host_changes else None
        if host is not None and host.on_maintenance_for == notification.notification_uuid:
            emit.host_changed(world, connection, hosts.change(connection, host.uuid, dict(host_changes), now))
        closed = vmoves.ignore_open(connection, notification.notification_uuid, message, now)
        if task is not None:
            state = TaskState.FAILURE if status is NotificationStatus.FAILED else TaskState.SUCCESS
            tasks.add_progress(connection, task, now, [(1.0, f"Skipped: {message}")], state)
        tasks.abandon(connection, notification.notification_uuid, now, message)
        if status is NotificationStatus.FINISHED and notification.type is NotificationType.COMPUTE_HOST:
            returns.plan_if_due(connection, notification.source_host_uuid, now)
        waiting = host_recoveries.waiting(connection, notification.source_host_uuid)
        emit.vmoves_ended(world, connection, [move.uuid for move in closed])
        if notification.status is not NotificationStatus.RUNNING:  # it is over before it has begun
            emit.recovery_started(world, connection, notification)
        emit.recovery_ended(world, connection, notification.notification_uuid)
    log.get().info("notification closed", status=str(status), message=message)
    triggers = [Trigger(recovery_of(row.type), row.notification_uuid, row.request_id) for row in waiting]
    world.publisher.publish(triggers, now)
    world.breakpoint(Breakpoint.RECOVERY_CLOSED)
    for move in closed:
        if move.start_time is not None and move.locked_by_us:  # was begun, and is not followed any more
            _unlock(world, move)


def _unlock(world: RecoveryWorld, move: VMove) -> None:
    """Unlock an instance, unless there is no lock of ours: it has not come to one, or somebody else has replaced it."""
    try:
        server = world.nova.server(move.instance_uuid)
        if server is not None and server.locked_reason == lock_reason(move.notification_uuid):
            world.nova.unlock(move.instance_uuid)
    except (CloudRefused, CloudUnavailable) as error:
        log.get().warning("instance not unlocked", instance_uuid=move.instance_uuid, reason=str(error))


@contextmanager
def _end(
    claim: Claim[Notification], due_at: datetime | None, status: NotificationStatus, message: str, now: datetime
) -> Iterator[Connection]:
    """Open the last transaction of an attempt; a recovery that was held is not any more."""
    not_held = {"held_since": None, "held_by": ()}
    with claim.release(due_at, status=status, message=message, updated_at=now, **not_held) as connection:
        if claim.row.held_since is not None:
            emit.recovery_released(claim.world, connection, claim.row.notification_uuid)
        yield connection


def _final_check_at(world: RecoveryWorld, notification: Notification, now: datetime) -> datetime | None:
    """Say when to check once more what a recovery had in work; None when it had nothing."""
    if not notification.attempt or notification.type is NotificationType.PROCESS:
        return None
    return final_check_at(world, now)


def final_check_at(world: RecoveryWorld, now: datetime) -> datetime:
    """Say when Nova has carried out whatever a recovery that ends now has asked for."""
    return now + timedelta(seconds=world.settings.nova_late_request_limit + _FINAL_CHECK_LATER)


def fail(claim: Claim[Notification], reason: str) -> None:
    """End an attempt; another one is due later, unless this was the last.

    Raises:
        RecoveryDenied: an operator has denied the recovery since it was held; nothing was written.

    """
    world, notification = claim.world, claim.row
    settings, now = world.settings, world.clock.now()
    attempts = settings.recovery_attempts
    if attempts is None and notification.type is not NotificationType.COMPUTE_HOST:
        attempts = _ATTEMPTS
    last = expires_at(notification, settings.notifications_expired_interval)
    pause = settings.process_unfinished_notifications_interval
    retry = after_failure(notification.attempt, attempts, now, pause, last)
    due_at = retry.due_at or _final_check_at(world, notification, now)
    with _end(claim, due_at, retry.status, reason, now) as connection:
        check_not_denied(claim, connection)
        task = tasks.next_open(connection, notification.notification_uuid, notification.attempt)
        if task is not None:
            tasks.fail(connection, task, now, reason)
        closed = vmoves.ignore_open(connection, notification.notification_uuid, reason, now)
        emit.vmoves_ended(world, connection, [move.uuid for move in closed])
        emit.recovery_ended(world, connection, notification.notification_uuid)
    log.get().warning("recovery attempt failed", status=str(retry.status), reason=reason)
    world.breakpoint(Breakpoint.RECOVERY_FAILED)
