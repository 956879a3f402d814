"""What is known of a guest after a look, and what of it must be told (reference, sections 8.3 and 8.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instance_ha.models.enums import NotificationType
from instance_ha.models.guests import Domain, Fault, GuestHealth, GuestState, Wishes
from instance_ha.models.health import Report
from instance_ha.models.text import FALSE, TRUE

SWITCH = "instance_ha:guest_monitoring"
INTERVAL = "instance_ha:guest_monitoring_interval"
THRESHOLD = "instance_ha:guest_monitoring_threshold"
_SLACK = 0.9  # of an interval: looks do not come to the second
_AGENT = {"event": "QEMU_GUEST_AGENT_ERROR", "vir_domain_event": "STOPPED_FAILED"}
_FAULTS = {
    Fault.FAILED: {"event": "LIFECYCLE", "vir_domain_event": "STOPPED_FAILED"},
    Fault.IO_ERROR: {"event": "IO_ERROR", "vir_domain_event": "IO_ERROR_PAUSE"},
}


@dataclass(frozen=True)
class GuestPolicy:
    """How a guest is watched."""

    on: bool = True
    interval: float = 10.0
    threshold: int = 3


def wishes(metadata: Mapping[str, str], extra_specs: Mapping[str, str]) -> Wishes:
    """Read what an instance's owner wishes, or else what its flavor says; words that make no sense say nothing."""
    said = {**extra_specs, **metadata}
    switch = said.get(SWITCH, "").strip().lower()
    interval, threshold = _number(said.get(INTERVAL)), _number(said.get(THRESHOLD))
    return Wishes(
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


def policy(wished: Wishes, default: GuestPolicy) -> GuestPolicy:
    """Return how a guest is watched; its owner may ask for fewer pings, not for more."""
    return GuestPolicy(
        default.on if wished.on is None else wished.on,
        max(default.interval, wished.interval or 0.0),
        wished.threshold or default.threshold,
    )


def seen(known: GuestHealth, domain: Domain, host_uuid: str, now: datetime) -> GuestHealth:
    """Take in what libvirt says of a domain."""
    if domain.id is None or domain.id != known.domain_id or host_uuid != known.host_uuid:
        # It was started anew, or is off: until its agent answers, its silence says nothing.
        known = replace(known, state=GuestState.DISCOVERY, misses=0, since=None, quiet_until=None, pinged_at=None)
    known = replace(known, domain_id=domain.id, host_uuid=host_uuid)
    if domain.fault is None:
        ran = domain.running or (known.ran and domain.id is not None)
        return replace(known, ran=ran, fault=None, fault_since=None, fault_told=False)
    if domain.fault is known.fault or not known.ran:
        return known  # it is known, or it was so before we saw the domain at work: somebody may have left it so
    return replace(known, fault=domain.fault, fault_since=now, fault_told=False)


def wants_ping(known: GuestHealth, domain: Domain, how: GuestPolicy, now: datetime) -> bool:
    """Whether the guest's agent is to be asked now."""
    if not (how.on and domain.running and domain.has_agent):
        return False
    return known.pinged_at is None or now - known.pinged_at >= timedelta(seconds=how.interval * _SLACK)


def pinged(known: GuestHealth, answered: bool | None, now: datetime) -> GuestHealth:
    """Take in whether the agent answered; None, when it could not be asked, is neither an answer nor a miss."""
    if answered is None:
        return known
    known = replace(known, pinged_at=now)
    if answered:
        return replace(known, state=GuestState.HEALTHY, misses=0, since=None, quiet_until=None)
    if known.state in {GuestState.DISCOVERY, GuestState.REPORTED}:
        return known
    return replace(known, state=GuestState.ERROR, misses=known.misses + 1, since=known.since or now)


def switched_off(known: GuestHealth) -> GuestHealth:
    """Forget the pings of a guest that is not to be asked any more."""
    return replace(known, state=GuestState.DISCOVERY, misses=0, since=None)


def due(known: GuestHealth, hostname: str, how: GuestPolicy, now: datetime) -> list[Report]:
    """Say what must be told of a guest now.

    What the API took for a duplicate is told again later, as of then: it may have been a second failure so soon after
    the first that nobody could tell.
    """
    if known.quiet_until is not None and now < known.quiet_until:
        return []
    at = None if known.quiet_until is None else now
    reports = []
    if known.fault is not None and known.fault_since is not None and not known.fault_told:
        reports.append(_report(known, hostname, at or known.fault_since, _FAULTS[known.fault]))
    if known.state is GuestState.ERROR and known.misses >= how.threshold and known.since is not None:
        reports.append(_report(known, hostname, at or known.since, _AGENT))
    return reports


def _report(known: GuestHealth, hostname: str, at: datetime, what: Mapping[str, str]) -> Report:
    payload = {**what, "instance_uuid": known.instance_uuid}
    return Report(hostname=hostname, type=NotificationType.VM, generated_time=at, payload=payload)


def is_about_agent(report: Report) -> bool:
    """Whether a report tells of an agent, not of a domain."""
    return report.payload["event"] == _AGENT["event"]
