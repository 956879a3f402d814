"""StopInstanceTask, StartInstanceTask, ConfirmInstanceActiveTask: a failed instance is restarted.

Nova shows at once that it is stopping or starting an instance, and remembers who asked for it; so Nova tells
after a crash what was asked, and an owner who acts meanwhile has the last word.
"""

from sqlalchemy import Connection

from instance_ha.decide import power
from instance_ha.decide.instances import InstancePolicy, reason_to_leave
from instance_ha.decide.power import Broken, Decision, Leave, Step, StopRecorded
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import PowerAction, Server
from instance_ha.models.enums import NotificationStatus, TaskState
from instance_ha.models.errors import CloudRefused, RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.models.uuids import NotificationUuid
from instance_ha.recovery.recovery import Done, NotYet, Outcome, Recovery, Skip, Task
from instance_ha.store import hosts, tasks

_START_TASK = "StartInstanceTask"


class _LeftAloneError(Exception):
    """The instance was deleted meanwhile, or another user has acted on it."""


def _unless_left_alone(inner: Task) -> Task:
    """End the recovery when there is nothing to recover any more."""

    def run(recovery: Recovery, task: TaskRow) -> Outcome:
        try:
            return inner(recovery, task)
        except _LeftAloneError as reason:
            return Skip(str(reason), NotificationStatus.IGNORED)

    return run


@_unless_left_alone
def stop_instance(recovery: Recovery, task: TaskRow) -> Outcome:
    """Stop the instance, unless there is a reason to leave it alone."""
    instance = _instance(recovery)
    if not task.details:
        recovery.progress(task, 0.0, f"Stopping instance {instance}")
    if recovery.recall(task, StopRecorded) is None:
        skip = _reason_to_skip(recovery, recovery.nova.server(instance))
        if skip is not None:
            return skip
    limit = recovery.world.settings.wait_period_after_power_off
    if not recovery.wait_until(task, limit, lambda: _stop_or_is_stopped(recovery, task), f"{instance} did not stop"):
        return NotYet()
    recovery.progress(task, 1.0, f"Stopped instance {instance}", TaskState.SUCCESS)
    recovery.world.breakpoint(Breakpoint.FAILED_INSTANCE_STOPPED)
    return Done()


@_unless_left_alone
def start_instance(recovery: Recovery, task: TaskRow) -> Outcome:
    """Start the instance."""
    instance = _instance(recovery)
    if not task.details:
        recovery.progress(task, 0.0, f"Starting instance {instance}")
    limit = recovery.world.settings.wait_period_after_power_on
    if not recovery.wait_until(task, limit, lambda: _start_or_is_started(recovery), f"{instance} stayed busy"):
        return NotYet()
    recovery.progress(task, 1.0, f"Started instance {instance}", TaskState.SUCCESS)
    return Done()


@_unless_left_alone
def confirm_instance_active(recovery: Recovery, task: TaskRow) -> Outcome:
    """Wait until the instance is active."""
    instance = _instance(recovery)
    if not task.details:
        recovery.progress(task, 0.0, f"Confirming that instance {instance} is active")
    limit = recovery.world.settings.wait_period_after_power_on
    if not recovery.wait_until(task, limit, lambda: _is_active(recovery), f"{instance} did not become active"):
        return NotYet()
    recovery.progress(task, 1.0, f"Confirmed that instance {instance} is active", TaskState.SUCCESS)
    return Done()


def _instance(recovery: Recovery) -> str:
    instance = recovery.notification.instance_uuid
    assert instance is not None  # the API takes no report of an instance without one
    return instance


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
    if server.host != recovery.host.name and (elsewhere := _reason_to_skip_elsewhere(recovery, server)):
        return Skip(elsewhere, NotificationStatus.IGNORED)
    if server.vm_state not in _RESTARTED:
        return Skip(f"the instance is {server.vm_state}: it is left to its owner", NotificationStatus.IGNORED)
    if server.vm_state == "active" and _was_started_before(recovery):
        return Skip("the instance is active again since the last attempt")
    return None


def _reason_to_skip_elsewhere(recovery: Recovery, server: Server) -> str | None:
    """Say why an instance elsewhere is left alone, if so: only what Nova shows to be dead is restarted there."""
    if server.host is None:
        return "the instance is on no host"
    if not power.is_dead(server):
        return f"the instance runs on {server.host} now"
    with recovery.claim.read() as connection:
        host = hosts.by_name(connection, server.host)
    if host is not None and host.on_maintenance:
        return f"the instance is on {server.host} now, which is on maintenance: its own recovery takes care of it"
    return None


_RESTARTED = frozenset({"active", "stopped", "error", "resized"})


def _was_started_before(recovery: Recovery) -> bool:
    """Say whether an earlier attempt has stopped the instance and come to its start, which was too late to be seen."""
    with recovery.claim.read() as connection:
        return has_begun_to_start(connection, recovery.notification.notification_uuid)


def has_begun_to_start(connection: Connection, notification_uuid: NotificationUuid) -> bool:
    """Say whether a recovery of an instance has come to its start, in whichever attempt."""
    found = tasks.of_notification(connection, notification_uuid)
    return any(task.name == _START_TASK and task.details for task in found)


def _there(recovery: Recovery) -> Server:
    server = recovery.nova.server(_instance(recovery))
    if server is None:
        raise _LeftAloneError("the instance was deleted meanwhile")
    return server


def _last_action(recovery: Recovery, server: Server) -> PowerAction | None:
    """Read the last action on an instance on which no task is under way."""
    return recovery.nova.last_power_action(server.id) if server.task_state is None else None


def _step(decision: Decision) -> Step:
    if isinstance(decision, Leave):
        raise _LeftAloneError(decision.message)
    if isinstance(decision, Broken):
        raise RecoveryFailed(decision.message)
    return decision


def _stop_or_is_stopped(recovery: Recovery, task: TaskRow) -> bool:
    """Ask for the stop while nothing is under way."""
    nova, server = recovery.nova, _there(recovery)
    last = _last_action(recovery, server) if server.vm_state != "stopped" else None
    recorded = recovery.recall(task, StopRecorded)
    step = _step(power.next_to_stop(server, last, recorded.last_action if recorded else None))
    if step is Step.RESET:
        nova.reset_to_active(server.id)
    elif step is Step.STOP:
        recovery.remember(task, StopRecorded(power.mark(last)))
        recovery.world.breakpoint(Breakpoint.FAILED_INSTANCE_STOP_RECORDED)
        try:
            nova.stop(server.id)
        except CloudRefused as error:
            if error.code != 409 or _there(recovery).vm_state != "stopped":
                raise
            return True
        recovery.world.breakpoint(Breakpoint.FAILED_INSTANCE_STOP_REQUESTED)
    return step is Step.REACHED


def _start_or_is_started(recovery: Recovery) -> bool:
    nova, server = recovery.nova, _there(recovery)
    start_stopped = recovery.world.settings.start_stopped_instances
    step = _step(power.next_to_start(server, _last_action(recovery, server), start_stopped=start_stopped))
    if step is Step.START:
        nova.start(server.id)
        recovery.world.breakpoint(Breakpoint.FAILED_INSTANCE_STARTED)
    return step is not Step.WAIT


def _is_active(recovery: Recovery) -> bool:
    server = _there(recovery)
    last = _last_action(recovery, server) if server.vm_state == "stopped" else None
    return _step(power.next_to_confirm(server, last)) is Step.REACHED
