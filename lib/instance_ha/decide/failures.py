"""What a notification (a reported failure) asks for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from instance_ha.decide.flows import flows_for
from instance_ha.models.enums import FINAL_NOTIFICATION, Flow, NotificationStatus, NotificationType, RecoveryMethod
from instance_ha.models.rows import Host, Notification, Segment

_AGENT_EVENT = "QEMU_GUEST_AGENT_ERROR"
_INSTANCE_FAILURES = frozenset(
    {
        ("LIFECYCLE", "STOPPED_FAILED"),
        ("IO_ERROR", "IO_ERROR_REPORT"),
        (_AGENT_EVENT, "STOPPED_FAILED"),
    }
)
_COMPUTE_PROCESS = "nova-compute"
_CLOCK_TOLERANCE = timedelta(seconds=5)  # how far the clocks of a monitor and of Postgres may be apart


@dataclass(frozen=True)
class Recover:
    """There is something to recover, by these flows in order; what becomes of the host meanwhile."""

    flows: tuple[Flow, ...]
    host_changes: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Close:
    """Nothing is to be done: the notification ends at once, and says why."""

    status: NotificationStatus
    message: str
    host_is_back: bool = False


def gone() -> Close:
    """Say that there is nothing any more that could be recovered."""
    return Close(NotificationStatus.FAILED, "the host or its segment does not exist any more")


def evaluate(notification: Notification, segment: Segment | None) -> Recover | Close:
    """Say whether a notification asks for a recovery."""
    if segment is None:
        return gone()
    if not segment.enabled:
        return Close(NotificationStatus.IGNORED, f"segment {segment.name} is disabled: nothing is recovered in it")
    if notification.type is NotificationType.VM:
        return _evaluate_instance(notification.payload, segment.recovery_method)
    if notification.type is NotificationType.PROCESS:
        return _evaluate_process(notification.payload, segment.recovery_method)
    return _evaluate_host(notification.payload, segment.recovery_method)


def is_about_guest_agent(notification: Notification) -> bool:
    """Whether a guest is reported that does not answer, although its domain runs: to restart it may do harm."""
    return notification.type is NotificationType.VM and notification.payload.get("event", "").upper() == _AGENT_EVENT


def over_budget(restarts: int, budget: int) -> Close | None:
    """Refuse to restart a guest again that was restarted ``restarts`` times within a day for its agent."""
    if restarts < budget:
        return None
    return Close(
        NotificationStatus.IGNORED,
        f"the instance was restarted {restarts} times within a day since its guest agent did not answer: "
        "it is left to its owner (guest_restarts_per_day)",
    )


def superseded_by(notification: Notification) -> str:
    """Say why a recovery has ended whose host has failed."""
    return f"superseded by notification {notification.notification_uuid}: its host has failed"


def expires_at(notification: Notification, limit: float) -> datetime:
    """Say when a recovery has had its ``limit`` seconds; those before the end of a pause that held it do not count."""
    return max(notification.created_at, notification.paused_until or notification.created_at) + timedelta(seconds=limit)


def expired(notification: Notification, now: datetime, limit: float) -> bool:
    """Whether a recovery has lasted longer than ``limit`` seconds: an operator must have handled the host by now."""
    return now > expires_at(notification, limit)


def host_changes(verdict: Recover, host: Host, notification: Notification) -> dict[str, bool | str]:
    """Return what a recovery changes of its host; it is remembered for which notification it is on maintenance.

    A host that an operator has put on maintenance meanwhile stays on the operator's.
    """
    if host.on_maintenance and host.on_maintenance_for is None:
        return dict(verdict.host_changes)
    return {**verdict.host_changes, "on_maintenance_for": notification.notification_uuid}


def refusal(host: Host, kind: NotificationType, recovery: Notification | None) -> str | None:
    """Say why a notification about a host on maintenance is refused, if it is.

    ``recovery`` is the notification whose recovery has put the host there; None: an operator has. A host is not done
    with when only its nova-compute had failed, or when its own recovery has ended without success: its failure is then
    accepted (again).
    """
    if not host.on_maintenance:
        return None
    if recovery is None:
        return f"host {host.name} is on maintenance: its failures are not handled"
    unsuccessful = recovery.status in {NotificationStatus.FAILED, NotificationStatus.IGNORED}
    host_after_process = kind is NotificationType.COMPUTE_HOST and recovery.type is NotificationType.PROCESS
    if host_after_process or (unsuccessful and kind is recovery.type):
        return None
    return f"host {host.name} is on maintenance since notification {recovery.notification_uuid}"


def _evaluate_host(payload: dict[str, str], method: RecoveryMethod) -> Recover | Close:
    host_status = payload.get("host_status")
    if host_status is None or host_status.upper() != "NORMAL":
        return Close(
            NotificationStatus.IGNORED,
            f"host_status is {host_status or 'missing'}, not NORMAL: the monitor is not sure that the host is dead",
        )
    if payload.get("event") == "STARTED":
        return Close(NotificationStatus.FINISHED, "the host has started: nothing to recover", host_is_back=True)
    if payload.get("event") != "STOPPED":
        return Close(NotificationStatus.IGNORED, f"event {payload.get('event')} asks for no recovery")
    changes = {"on_maintenance": True, "reserved": False}
    return Recover(flows_for(NotificationType.COMPUTE_HOST, method), changes)


def _evaluate_instance(payload: dict[str, str], method: RecoveryMethod) -> Recover | Close:
    event = payload.get("event", "").upper(), payload.get("vir_domain_event", "").upper()
    if event in _INSTANCE_FAILURES:
        return Recover(flows_for(NotificationType.VM, method))
    return Close(NotificationStatus.IGNORED, f"event {' '.join(event)} asks for no recovery")


def _evaluate_process(payload: dict[str, str], method: RecoveryMethod) -> Recover | Close:
    """Say what a process needs; only a recovery puts its host on maintenance, not every notification."""
    event, process = payload.get("event"), payload.get("process_name")
    if event == "STARTED":
        return Close(NotificationStatus.FINISHED, f"{process} has started: nothing to recover")
    if event != "STOPPED":
        return Close(NotificationStatus.IGNORED, f"event {event} asks for no recovery")
    if process != _COMPUTE_PROCESS:
        return Close(NotificationStatus.FINISHED, f"there is no recovery for {process}: nothing was done")
    return Recover(flows_for(NotificationType.PROCESS, method), {"on_maintenance": True})


def is_duplicate(earlier: Notification, generated: datetime, now: datetime, interval: float) -> bool:
    """Say whether a new, equal notification is about the failure of ``earlier``.

    It is while that one is being handled. Afterwards a failure that happened after the end of the recovery is a new
    one, and so is one that is more than ``interval`` seconds apart, by the sender's clock and by ours.
    """
    if earlier.status not in FINAL_NOTIFICATION:
        return True
    apart = generated - earlier.generated_time
    if earlier.attempt:  # there was a recovery: what it has mended cannot have happened after its end
        ended = earlier.updated_at or earlier.created_at
        # The second comparison needs no common clock: both times of ``apart`` are the sender's.
        lasted = ended - earlier.created_at
        if generated > ended + _CLOCK_TOLERANCE and apart > lasted + _CLOCK_TOLERANCE:
            return False
    return min(abs(apart), abs(now - earlier.created_at)) <= timedelta(seconds=interval)
