"""What is known of a guest after a poll, and what of it must be reported."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instance_ha.models.enums import NotificationType
from instance_ha.models.guests import Channel, Domain, Fault, GuestHealth, GuestPolicy, GuestState
from instance_ha.models.health import NotificationRequest
from instance_ha.models.text import FALSE, TRUE

SWITCH = "instance_ha:guest_monitoring"
INTERVAL = "instance_ha:guest_monitoring_interval"
THRESHOLD = "instance_ha:guest_monitoring_threshold"
_SLACK = 0.9  # of an interval: polls do not come to the second
_AGENT = {"event": "QEMU_GUEST_AGENT_ERROR", "vir_domain_event": "STOPPED_FAILED"}
_FAULTS = {
    Fault.FAILED: {"event": "LIFECYCLE", "vir_domain_event": "STOPPED_FAILED"},
    Fault.IO_ERROR: {"event": "IO_ERROR", "vir_domain_event": "IO_ERROR_PAUSE"},
}


@dataclass(frozen=True)
class PingSchedule:
    """How a guest is monitored."""

    on: bool = True
    interval: float = 10.0
    threshold: int = 3


def policy(metadata: Mapping[str, str], extra_specs: Mapping[str, str]) -> GuestPolicy:
    """Read what an instance's metadata says, or else its flavor; values that make no sense are left out."""
    stated = {**extra_specs, **metadata}
    switch = stated.get(SWITCH, "").strip().lower()
    interval, threshold = _number(stated.get(INTERVAL)), _number(stated.get(THRESHOLD))
    return GuestPolicy(
        on=True if switch in TRUE else False if switch in FALSE else None,
        interval=interval,
        threshold=None if threshold is None else int(threshold),
    )


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 1 <= value <= 86400 else None


def schedule(stated: GuestPolicy, default: PingSchedule) -> PingSchedule:
    """Return how a guest is monitored; its policy may ask for fewer pings, not for more."""
    return PingSchedule(
        default.on if stated.on is None else stated.on,
        max(default.interval, stated.interval or 0.0),
        stated.threshold or default.threshold,
    )


def observed(known: GuestHealth, domain: Domain, host_uuid: str, now: datetime) -> GuestHealth:
    """Take in what libvirt says of a domain."""
    started_anew = domain.id is None or domain.id != known.domain_id or host_uuid != known.host_uuid
    if started_anew or domain.channel is Channel.CLOSED:
        # The domain is off or was started anew, or the guest itself has stopped its agent, as a reboot does: until the
        # agent answers again, its silence says nothing.
        known = replace(known, state=GuestState.DISCOVERY, misses=0, since=None, muted_until=None, pinged_at=None)
    known = replace(known, domain_id=domain.id, host_uuid=host_uuid)
    if domain.fault is None:
        ran = domain.running or (known.ran and domain.id is not None)
        return replace(known, ran=ran, fault=None, fault_since=None, fault_reported=False)
    if domain.fault is known.fault or not known.ran:
        return known  # it is known, or it was so before we saw the domain at work: an operator may have left it so
    return replace(known, fault=domain.fault, fault_since=now, fault_reported=False)


def wants_ping(known: GuestHealth, domain: Domain, how: PingSchedule, now: datetime) -> bool:
    """Whether the guest's agent is to be asked now."""
    if not (how.on and domain.running and domain.channel is Channel.OPEN):
        return False
    return known.pinged_at is None or now - known.pinged_at >= timedelta(seconds=how.interval * _SLACK)


def pinged(known: GuestHealth, answered: bool | None, now: datetime) -> GuestHealth:
    """Take in whether the agent answered; None, when it could not be asked, is neither an answer nor a miss."""
    if answered is None:
        return known
    known = replace(known, pinged_at=now)
    if answered:
        return replace(known, state=GuestState.HEALTHY, misses=0, since=None, muted_until=None)
    if known.state in {GuestState.DISCOVERY, GuestState.REPORTED}:
        return known
    return replace(known, state=GuestState.ERROR, misses=known.misses + 1, since=known.since or now)


def switched_off(known: GuestHealth) -> GuestHealth:
    """Forget the pings of a guest that is not to be asked any more."""
    return replace(known, state=GuestState.DISCOVERY, misses=0, since=None)


def due(known: GuestHealth, hostname: str, how: PingSchedule, now: datetime) -> list[NotificationRequest]:
    """Return what must be reported of a guest now.

    What the API took for a duplicate is reported again later, with the time of then: it may have been a second failure
    that came too soon after the first to be told apart.
    """
    if known.muted_until is not None and now < known.muted_until:
        return []
    at = None if known.muted_until is None else now
    requests = []
    if known.fault is not None and known.fault_since is not None and not known.fault_reported:
        requests.append(_request(known, hostname, at or known.fault_since, _FAULTS[known.fault]))
    if known.state is GuestState.ERROR and known.misses >= how.threshold and known.since is not None:
        requests.append(_request(known, hostname, at or known.since, _AGENT))
    return requests


def _request(known: GuestHealth, hostname: str, at: datetime, what: Mapping[str, str]) -> NotificationRequest:
    payload = {**what, "instance_uuid": known.instance_uuid}
    return NotificationRequest(hostname=hostname, type=NotificationType.VM, generated_time=at, payload=payload)


def is_about_agent(request: NotificationRequest) -> bool:
    """Whether a notification is about an agent, not about a domain."""
    return request.payload["event"] == _AGENT["event"]
