"""What a notification (a reported failure) asks for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from instance_ha.decide.flows import flows_for
from instance_ha.models.enums import Flow, NotificationStatus, NotificationType, RecoveryMethod
from instance_ha.models.rows import Notification, Segment

_INSTANCE_FAILURES = frozenset(
    {
        ("LIFECYCLE", "STOPPED_FAILED"),
        ("IO_ERROR", "IO_ERROR_REPORT"),
        ("QEMU_GUEST_AGENT_ERROR", "STOPPED_FAILED"),
    }
)
_COMPUTE_PROCESS = "nova-compute"


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


def expired(notification: Notification, now: datetime, limit: float) -> bool:
    """Whether a recovery has lasted longer than ``limit`` seconds: an operator must have handled the host by now."""
    return now - notification.created_at > timedelta(seconds=limit)


def _evaluate_host(payload: dict[str, str], method: RecoveryMethod) -> Recover | Close:
    host_status = payload.get("host_status")
    if host_status is None or host_status.upper() != "NORMAL":
        return Close(
            NotificationStatus.IGNORED,
            f"host_status is {host_status or 'missing'}, not NORMAL: the monitor is not sure that the host is dead",
        )
    if payload.get("event") == "STARTED":
        return Close(NotificationStatus.FINISHED, "the host has started: nothing to recover")
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

    Notifications more than ``interval`` seconds apart, by the sender's clock and by ours, are two failures, unless the
    first is still being handled (docs/differences.md).
    """
    if earlier.status not in {
        NotificationStatus.FAILED,
        NotificationStatus.IGNORED,
        NotificationStatus.FINISHED,
    }:
        return True
    apart = abs((generated - earlier.generated_time).total_seconds())
    since = abs((now - earlier.created_at).total_seconds())
    return min(apart, since) <= interval
