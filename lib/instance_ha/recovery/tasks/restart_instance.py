"""StopInstanceTask, StartInstanceTask, ConfirmInstanceActiveTask: a failed instance is restarted (reference, 5.5).

Nova shows at once that it is stopping or starting an instance, so a look tells after a crash what was asked.
"""

from uuid import UUID

from instance_ha.decide.instances import InstancePolicy, reason_to_leave
from instance_ha.models.cloud import Server
from instance_ha.models.enums import NotificationStatus, TaskState
from instance_ha.models.errors import CloudRefused, RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import Done, NotYet, Outcome, Recovery, Skip, Task
from instance_ha.recovery.tasks.waiting import wait_until


class _GoneError(Exception):
    """The instance was deleted meanwhile."""


def _unless_gone(inner: Task) -> Task:
    """End the recovery when there is nothing to recover any more."""

    def run(recovery: Recovery, task: TaskRow) -> Outcome:
        try:
            return inner(recovery, task)
        except _GoneError:
            return Skip("the instance was deleted meanwhile", NotificationStatus.IGNORED)

    return run


@_unless_gone
def stop_instance(recovery: Recovery, task: TaskRow) -> Outcome:
    """Stop the instance, unless there is a reason to leave it alone."""
    instance = _instance(recovery)
    if not task.details:
        recovery.report(task, 0.0, f"Stopping instance {instance}")
    server = recovery.world.nova.server(instance)
    skip = _reason_to_skip(recovery, server)
    if skip is not None:
        recovery.report(task, 1.0, f"Skipped: {skip.reason}", TaskState.SUCCESS)
        return skip
    limit = recovery.world.settings.wait_period_after_power_off
    if not wait_until(recovery, task, limit, lambda: _stop_or_is_stopped(recovery), f"{instance} did not stop"):
        return NotYet()
    recovery.report(task, 1.0, f"Stopped instance {instance}", TaskState.SUCCESS)
    recovery.world.step("failed-instance-stopped")
    return Done()


@_unless_gone
def start_instance(recovery: Recovery, task: TaskRow) -> Outcome:
    """Start the instance."""
    instance, nova = _instance(recovery), recovery.world.nova
    if not task.details:
        recovery.report(task, 0.0, f"Starting instance {instance}")
    server = _there(recovery)
    if server.vm_state == "stopped" and server.task_state is None:
        nova.start(instance)
        recovery.world.step("failed-instance-started")
    elif server.vm_state not in {"stopped", "active"}:
        raise RecoveryFailed(f"instance {instance} is {server.vm_state}, which cannot be started")
    recovery.report(task, 1.0, f"Started instance {instance}", TaskState.SUCCESS)
    return Done()


@_unless_gone
def confirm_instance_active(recovery: Recovery, task: TaskRow) -> Outcome:
    """Wait until the instance is active."""
    instance = _instance(recovery)
    if not task.details:
        recovery.report(task, 0.0, f"Confirming that instance {instance} is active")
    limit = recovery.world.settings.wait_period_after_power_on
    if not wait_until(recovery, task, limit, lambda: _is_active(recovery), f"{instance} did not become active"):
        return NotYet()
    recovery.report(task, 1.0, f"Confirmed that instance {instance} is active", TaskState.SUCCESS)
    return Done()


def _instance(recovery: Recovery) -> str:
    return str(UUID(recovery.notification.payload["instance_uuid"]))  # reports may leave its dashes out


def _reason_to_skip(recovery: Recovery, server: Server | None) -> Skip | None:
    settings = recovery.world.settings
    if server is None:
        return Skip("the instance does not exist", NotificationStatus.IGNORED)
    key = settings.instance_failure_ha_enabled_instance_metadata_key
    policy = InstancePolicy(
        metadata_key=key, opt_out_key=settings.ha_opt_out_metadata_key, evacuate_all=settings.process_all_instances
    )
    reason = reason_to_leave(server, policy)
    if reason is not None:
        return Skip(f"the instance is left alone: {reason}")
    if server.host != recovery.host.name:
        return Skip(f"the instance is on {server.host} now", NotificationStatus.IGNORED)
    if server.vm_state not in _RESTARTED:
        return Skip(f"the instance is {server.vm_state}: it is left to its owner", NotificationStatus.IGNORED)
    return None


_RESTARTED = frozenset({"active", "stopped", "error", "resized"})


def _there(recovery: Recovery) -> Server:
    server = recovery.world.nova.server(_instance(recovery))
    if server is None:
        raise _GoneError
    return server


def _stop_or_is_stopped(recovery: Recovery) -> bool:
    """Ask for the stop while nothing is under way."""
    nova, server = recovery.world.nova, _there(recovery)
    if server.vm_state == "stopped":
        return True
    if server.task_state is not None:
        return False
    if server.vm_state == "resized":
        nova.reset_to_active(server.id)
    try:
        nova.stop(server.id)
        recovery.world.step("failed-instance-asked-to-stop")
    except CloudRefused as error:
        if error.code != 409 or _there(recovery).vm_state != "stopped":
            raise
        return True
    return False


def _is_active(recovery: Recovery) -> bool:
    server = _there(recovery)
    if server.vm_state == "error":
        raise RecoveryFailed(f"the instance failed to start: {server.fault or 'state error'}")
    return server.vm_state == "active"
