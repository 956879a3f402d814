"""What a reported failure asks for (reference, section 4.3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.decide.flows import Flow, flows_for
from instance_ha.models.enums import NotificationStatus, NotificationType, RecoveryMethod
from instance_ha.models.rows import Notification, Segment

NOVA_COMPUTE = "nova-compute"
_INSTANCE_FAILURES = frozenset(
    {
        ("LIFECYCLE", "STOPPED_FAILED"),
        ("IO_ERROR", "IO_ERROR_REPORT"),
        ("QEMU_GUEST_AGENT_ERROR", "STOPPED_FAILED"),
    }
)


@dataclass(frozen=True)
class Recover:
    """There is something to recover, by these flows in order."""

    flows: tuple[Flow, ...]


@dataclass(frozen=True)
class Close:
    """Nothing is to be done: the notification ends at once, and says why."""

    status: NotificationStatus
    message: str


def gone() -> Close:
    """Say that there is nothing any more that could be recovered."""
    return Close(NotificationStatus.FAILED, "the host or its segment does not exist any more")


def judge(report: Notification, segment: Segment | None) -> Recover | Close:
    """Say whether a report asks for a recovery."""
    if segment is None:
        return gone()
    if not segment.enabled:
        return Close(NotificationStatus.IGNORED, f"segment {segment.name} is disabled: nothing is recovered in it")
    if report.type is NotificationType.COMPUTE_HOST:
        return _judge_host(report.payload, segment.recovery_method)
    if report.type is NotificationType.VM:
        return _judge_instance(report.payload)
    return _judge_process(report.payload)


def host_changes(report: NotificationType) -> dict[str, bool]:
    """Return what a recovery changes at the host it is about: whether it still counts, and as what."""
    if report is NotificationType.COMPUTE_HOST:
        return {"on_maintenance": True, "reserved": False}
    return {"on_maintenance": True} if report is NotificationType.PROCESS else {}


def expired(report: Notification, now: datetime, limit: float) -> bool:
    """Whether a recovery has lasted so long that somebody else must have cared for the host by now."""
    return now - report.created_at > timedelta(seconds=limit)


def falls_between(before: datetime, now: datetime, interval: float) -> bool:
    """Whether a tick of a clock that ticks every ``interval`` seconds lies after ``before``, and not after ``now``.

    So what is called again and again, and remembers nothing, does something once an interval.
    """
    return before.timestamp() // interval != now.timestamp() // interval


def _judge_host(payload: dict[str, str], method: RecoveryMethod) -> Recover | Close:
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
    if method is not RecoveryMethod.AUTO:
        return Close(NotificationStatus.FAILED, f"recovery method {method} is not part of this version")
    return Recover(flows_for(NotificationType.COMPUTE_HOST, method))


def _judge_instance(payload: dict[str, str]) -> Recover | Close:
    event, detail = payload.get("event", ""), payload.get("vir_domain_event", "")
    if (event.upper(), detail.upper()) not in _INSTANCE_FAILURES:
        return Close(NotificationStatus.IGNORED, f"event {event} {detail} of an instance asks for no recovery")
    return Recover((Flow.INSTANCE,))


def _judge_process(payload: dict[str, str]) -> Recover | Close:
    event, name = payload.get("event"), payload.get("process_name")
    if event == "STARTED":
        return Close(NotificationStatus.FINISHED, f"process {name} has started: nothing to recover")
    if event != "STOPPED":
        return Close(NotificationStatus.IGNORED, f"event {event} of a process asks for no recovery")
    if name != NOVA_COMPUTE:
        return Close(NotificationStatus.FINISHED, f"there is no recovery of process {name}: the host stays as it is")
    return Recover((Flow.PROCESS,))


def is_duplicate(earlier: Notification, generated: datetime, now: datetime, interval: float) -> bool:
    """Say whether a new, equal report tells of the failure that ``earlier`` already told of.

    Unlike the original (reference, 10.2 N3) this is bounded both ways, and looks at both clocks: reports
    more than ``interval`` seconds apart, by the sender's clock and by ours, are two failures, unless the first
    is still being handled.
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
