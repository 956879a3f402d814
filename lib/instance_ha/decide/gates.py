"""May a recovery act at all? Each gate says so by what it sees; docs/gates.md has the reasons."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from instance_ha.decide.hold import CHECK_AGAIN, Hold
from instance_ha.models.cloud import ServiceState
from instance_ha.models.gates import Approval, ApprovalVerdict, FailedHost, Gate, GateVerdict, Mode, Pause, Seen
from instance_ha.models.readiness import CapacitySeen
from instance_ha.models.rows import Host

_CONTROLLERS = ("nova-scheduler", "nova-conductor")
_APPROVED = "an operator approves it (openstack ha approve)"


@dataclass(frozen=True)
class Threshold:
    """Too many: at least a number, and at least a share of all. A number of 0 is never reached."""

    number: int
    share: float

    def is_reached(self, failed: int, hosts: int) -> bool:
        """Whether so many of the hosts are too many."""
        return 0 < self.number <= failed and failed >= self.share * hosts

    def __str__(self) -> str:
        """Say how many that are."""
        return f"{self.number} and {self.share:.0%}"


@dataclass(frozen=True, kw_only=True)
class GateLimits:
    """What the operator has set."""

    storm_segment: Threshold
    storm_cloud: Threshold
    peers: Threshold
    rate: int  # recoveries of hosts; 0: any number
    rate_window: timedelta
    recoveries_per_day: int  # of one host; 0: any number
    capacity_holds: bool  # where instances fit nowhere; else that is only said
    capacity_max_age: timedelta  # what readiness has found longer ago counts for nothing


@dataclass(frozen=True)
class GateResult:
    """What a gate says; without a reason it is open."""

    gate: Gate
    saw: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    released_by: str = ""
    until: datetime | None = None  # it opens by itself then


def pause(pauses: Sequence[Pause]) -> GateResult:
    """Closed by a pause of the cloud, of the segment or of the host."""
    if not pauses:
        return GateResult(Gate.PAUSE)
    until = max(one.until for one in pauses)
    reasons = "; ".join(f"{one.scope} paused by {one.actor or 'nobody known'}: {one.reason}" for one in pauses)
    released_by = f"the pause ends, at {until:%Y-%m-%d %H:%M} UTC or before (openstack ha unpause)"
    return GateResult(Gate.PAUSE, {"pauses": [one.uuid for one in pauses]}, reasons, released_by, until)


def approval(mode: Mode) -> GateResult:
    """Closed where an operator must approve what is done in a segment."""
    if mode is not Mode.APPROVE:
        return GateResult(Gate.APPROVAL, {"mode": str(mode)})
    reason = "the mode of its segment is approve"
    return GateResult(
        Gate.APPROVAL, {"mode": str(mode)}, reason, "the mode of its segment is auto (openstack ha policy set)"
    )


def storm_segment(seen: Seen, limits: GateLimits) -> GateResult:
    """Closed while too many hosts of a segment fail at once."""
    failed = [one.name for one in seen.failed if one.in_segment]
    return _storm(Gate.STORM_SEGMENT, failed, seen.segment_hosts, limits.storm_segment, "its segment")


def storm_cloud(seen: Seen, limits: GateLimits) -> GateResult:
    """Closed while too many hosts of all segments fail at once."""
    failed = [one.name for one in seen.failed]
    return _storm(Gate.STORM_CLOUD, failed, seen.cloud_hosts, limits.storm_cloud, "all segments")


def _storm(gate: Gate, failed: Sequence[str], hosts: int, threshold: Threshold, where: str) -> GateResult:
    saw = {"hosts": hosts, "failed": sorted(failed), "limit": str(threshold)}
    if not threshold.is_reached(len(failed), hosts):
        return GateResult(gate, saw)
    reason = f"{len(failed)} of {hosts} hosts of {where} have failed at once"
    return GateResult(gate, saw, reason, "fewer of them are being handled")


def rate(seen: Seen, limits: GateLimits) -> GateResult:
    """Closed when too many recoveries have begun of late."""
    saw = {"begun": seen.begun, "limit": limits.rate}
    if not limits.rate or seen.begun < limits.rate:
        return GateResult(Gate.RATE, saw)
    reason = f"{seen.begun} recoveries of hosts have begun within {limits.rate_window.total_seconds():.0f} s"
    return GateResult(Gate.RATE, saw, reason, "fewer have begun within that time")


def flapping(seen: Seen, limits: GateLimits) -> GateResult:
    """Closed to a host that fails again and again."""
    saw = {"finished": seen.finished, "limit": limits.recoveries_per_day}
    if not limits.recoveries_per_day or seen.finished < limits.recoveries_per_day:
        return GateResult(Gate.FLAPPING, saw)
    reason = f"its host has failed {seen.finished + 1} times within a day: it is in quarantine"
    return GateResult(Gate.FLAPPING, saw, reason, "a day has passed since the first of these")


def cloud_health(services: Iterable[ServiceState]) -> GateResult:
    """Closed while Nova could carry no evacuation out; a kind of service that it does not list is no reason."""
    states = {kind: [one.up for one in services if one.binary == kind] for kind in _CONTROLLERS}
    saw = {kind: f"{up.count(True)} of {len(up)} up" for kind, up in states.items()}
    missing = [kind for kind, up in states.items() if up and True not in up]
    if not missing:
        return GateResult(Gate.CLOUD_HEALTH, saw)
    return GateResult(Gate.CLOUD_HEALTH, saw, f"no {' and no '.join(missing)} is up", "there is one of each kind up")


def peers(services: Iterable[ServiceState], hosts: Collection[str], limits: GateLimits) -> GateResult:
    """Closed while too many other hosts of the segment are down by Nova; those that it does not know do not count."""
    known = {host: is_up for host, is_up in _computes(services).items() if host in hosts}
    down = sorted(host for host, is_up in known.items() if not is_up)
    saw = {"peers": len(known), "down": down, "limit": str(limits.peers)}
    if not limits.peers.is_reached(len(down), len(known)):
        return GateResult(Gate.PEERS, saw)
    reason = f"Nova calls {len(down)} of the {len(known)} other hosts of its segment down"
    return GateResult(Gate.PEERS, saw, reason, "fewer of them are down")


def capacity(seen: CapacitySeen | None, now: datetime, limits: GateLimits) -> GateResult:
    """Closed, where that is asked for, to a host of which readiness has found that some instances fit nowhere."""
    if seen is None or now - seen.checked_at > limits.capacity_max_age:
        return GateResult(Gate.CAPACITY, {"checked_at": None if seen is None else seen.checked_at.isoformat()})
    number = len(seen.left_over)
    saw = {"checked_at": seen.checked_at.isoformat(), "fit": str(seen.fit), "left_over": number}
    if not number or not limits.capacity_holds:
        return GateResult(Gate.CAPACITY, saw)
    reason = f"{number} of its instances fit on no other host, as was found at {seen.checked_at:%H:%M} UTC"
    return GateResult(Gate.CAPACITY, saw, reason, "there is room for them")


def storms(seen: Seen, limits: GateLimits) -> list[GateResult]:
    """Ask both storm gates."""
    return [storm_segment(seen, limits), storm_cloud(seen, limits)]


def before_the_first(seen: Seen, limits: GateLimits) -> list[GateResult]:
    """Ask the gates that hold a recovery of a host before its first attempt only: what has begun ends as it would."""
    return [*storms(seen, limits), rate(seen, limits), flapping(seen, limits)]


def without_alive(seen: Seen, services: Iterable[ServiceState], now: datetime, patience: timedelta) -> Seen:
    """Leave out the hosts that Nova still calls up so long after their report: they do not fail."""
    computes = _computes(services)
    failed = (one for one in seen.failed if now - one.reported_at <= patience or not computes.get(one.name))
    return replace(seen, failed=tuple(failed))


def as_if_failed(seen: Seen, together: Sequence[Host], host: Host, now: datetime) -> Seen:
    """Add hosts that are taken to fail at once to those that do."""
    known = {one.name for one in seen.failed}
    more = tuple(
        FailedHost(name=one.name, in_segment=one.failover_segment_id == host.failover_segment_id, reported_at=now)
        for one in together
        if one.name not in known
    )
    return replace(seen, failed=(*seen.failed, *more))


def _computes(services: Iterable[ServiceState]) -> dict[str, bool]:
    """Say of each host that Nova knows whether its nova-compute is up; an old record of another cell is down."""
    known: dict[str, bool] = {}
    for one in services:
        if one.binary == "nova-compute" and one.up is not None:
            known[one.host] = known.get(one.host, False) or one.up
    return known


def verdict(result: GateResult, approved: Collection[Gate]) -> GateVerdict:
    """Say how a gate stands, by what operators have approved."""
    if result.reason is None:
        return GateVerdict.OPEN
    return GateVerdict.APPROVED if result.gate in approved else GateVerdict.HELD


def approved(approvals: Iterable[Approval]) -> frozenset[Gate]:
    """Name the gates that operators have opened for a recovery."""
    return frozenset(gate for one in approvals if one.verdict is ApprovalVerdict.APPROVE for gate in one.gates)


def denial(approvals: Iterable[Approval]) -> str | None:
    """Say by whom and why a recovery was denied; None when nobody has."""
    found = next((one for one in approvals if one.verdict is ApprovalVerdict.DENY), None)
    return None if found is None else f"denied by {found.actor or 'nobody known'}: {found.reason}"


def hold(results: Iterable[GateResult], approved: Collection[Gate], now: datetime) -> Hold | None:
    """Say what keeps a recovery; None when every gate is open, or an operator has approved what it would hold."""
    held = [one for one in results if verdict(one, approved) is GateVerdict.HELD]
    if not held:
        return None
    reasons = "; ".join(f"{one.gate}: {one.reason}" for one in held)
    released_by = " and ".join(one.released_by for one in held)
    check_at = min([now + CHECK_AGAIN, *(one.until for one in held if one.until is not None)])
    return Hold(reasons, f"{released_by}, or {_APPROVED}", check_at, tuple(one.gate for one in held))
