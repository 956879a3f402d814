"""What the samples of a host say, and what of it must be reported.

Nothing here depends on having seen an edge: what is due follows from what holds and from what was reported before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from instance_ha.decide import mass_failure
from instance_ha.decide import strategy as strategies
from instance_ha.models.enums import NotificationType
from instance_ha.models.health import (
    HostHealth,
    HostState,
    NotificationRequest,
    NotificationResponse,
    Observation,
    Reading,
    RegisteredHost,
    ReportState,
    Sample,
    Snapshot,
    Strategy,
    Vector,
)

STOPPED = {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
STARTED = {"event": "STARTED", "cluster_status": "ONLINE", "host_status": "NORMAL"}
_STOPPED = frozenset({ReportState.STOPPED, ReportState.DUPLICATE, ReportState.STOPPED_BEFORE})


@dataclass(frozen=True)
class Window:
    """How many samples in a row make a state, and how far two of a row may be apart."""

    samples: int
    longest_gap: timedelta


@dataclass(frozen=True)
class Evaluation:
    """What follows from one poll: the hosts as they are remembered now, and where nothing may be reported."""

    hosts: tuple[RegisteredHost, ...]
    suppression: mass_failure.Suppression = field(default_factory=mass_failure.Suppression)


def longest_gap(interval: float, invocation: float) -> timedelta:
    """Return the longest pause after which a poll is not late: one may be missed, and ticks come each minute."""
    return timedelta(seconds=2 * interval + max(0.0, 60 - invocation))


def is_late(previous: datetime | None, now: datetime, window: Window) -> bool:
    """Whether so much time has passed since the last complete poll that nothing is known about what was between."""
    return previous is not None and now - previous > window.longest_gap


def evaluate(
    hosts: Iterable[RegisteredHost],
    snapshot: Snapshot | None,
    at: datetime,
    strategy: Strategy,
    window: Window,
    limits: mass_failure.Limits,
) -> Evaluation:
    """Evaluate a poll: every host by its own window, unless so many are down that the guard holds its segment.

    ``snapshot`` is None when the source gave no complete answer: then monitored hosts are left as they are.
    """
    hosts = tuple(hosts)
    if snapshot is None:
        return Evaluation(tuple(h if h.monitored else replace(h, health=reset(h.health)) for h in hosts))
    monitored = [host for host in hosts if host.monitored]
    down = [(h.segment_name, is_down(snapshot.hosts.get(h.name), strategy)) for h in monitored]
    suppression = mass_failure.evaluate(down, limits)
    evaluated = []
    for host in hosts:
        if host.monitored and suppression.covers(host.segment_name):
            health = suppress(host.health)
        else:
            health = evaluate_host(host, snapshot.hosts.get(host.name), at, strategy, window)
        evaluated.append(replace(host, health=health))
    return Evaluation(tuple(evaluated), suppression)


def evaluate_host(
    host: RegisteredHost, observation: Observation | None, at: datetime, strategy: Strategy, window: Window
) -> HostHealth:
    """Remember what a complete answer says of a host: ``observation`` is None where it was not in the answer."""
    if not host.monitored:
        return reset(host.health)
    sample = Sample(at, vector(observation, strategy))
    samples = extended(host.health.samples, sample, strategy.networks, window)
    new = state(samples, strategy, window)
    since = host.health.since if new is host.health.state and host.health.since else at
    listed = observation is not None and not observation.administratively_down
    return replace(host.health, samples=samples, state=new, since=since, listed=listed, suppressed=False)


def vector(observation: Observation | None, strategy: Strategy) -> Vector:
    """Return the reading of each network of the strategy; a host that was not observed is unknown in all."""
    readings = observation.vector if observation else {}
    return {network: readings.get(network, Reading.UNKNOWN) for network in strategy.networks}


def is_down(observation: Observation | None, strategy: Strategy) -> bool:
    """Whether a single observation says down: the first sign, which the window has yet to confirm."""
    return strategies.evaluate(strategy, vector(observation, strategy)) is HostState.DOWN


def extended(samples: Sequence[Sample], new: Sample, networks: Sequence[str], window: Window) -> tuple[Sample, ...]:
    """Add a sample; after a gap, or when other networks are polled than before, the window begins anew."""
    kept = [new]
    for sample in sorted(samples, key=lambda s: s.at, reverse=True):
        if kept[0].at - sample.at > window.longest_gap or set(sample.vector) != set(networks):
            break
        if sample.at < kept[0].at:  # never the same poll twice
            kept.insert(0, sample)
    return tuple(kept[-window.samples :])


def state(samples: Sequence[Sample], strategy: Strategy, window: Window) -> HostState:
    """Say what the whole window says; a host is down, or up, only if every sample of a full window says so."""
    if len(samples) < window.samples:
        return HostState.UNKNOWN
    states = {strategies.evaluate(strategy, sample.vector) for sample in samples}
    return states.pop() if len(states) == 1 else HostState.UNKNOWN


def suppress(health: HostHealth) -> HostHealth:
    """Forget the samples of a host in whose segment too many are down: they cannot be trusted either.

    Readings come back host by host. The last host to be up again must not be taken for the only one that is down.
    """
    return replace(health, samples=(), state=HostState.UNKNOWN, since=None, suppressed=True)


def reset(health: HostHealth) -> HostHealth:
    """Forget a host that is not monitored now; when it is monitored again, it begins as a new one."""
    reported = ReportState.STOPPED_BEFORE if health.reported in _STOPPED else health.reported
    return HostHealth(
        host_uuid=health.host_uuid, reported=reported, reported_at=health.reported_at, answer=health.answer
    )


def due(host: RegisteredHost, before: HostHealth, now: datetime, patience: timedelta) -> NotificationRequest | None:
    """Return what must be reported about a host now, if anything; the first poll after a suppression reports nothing.

    What the API took for a duplicate is reported again after ``patience``, if it still holds: it may have been a second
    failure that came too soon after the first to be told apart.
    """
    health = host.health
    if not host.monitored or health.since is None or before.suppressed or health.suppressed:
        return None
    at, payload = health.since, STOPPED
    if health.state is HostState.UP and health.reported in _STOPPED:
        payload = STARTED
    elif health.state is not HostState.DOWN or health.reported is ReportState.STOPPED:
        return None
    elif health.reported is ReportState.DUPLICATE:
        if health.reported_at is not None and now - health.reported_at <= patience:
            return None
        at = now
    return NotificationRequest(
        hostname=host.name, type=NotificationType.COMPUTE_HOST, generated_time=at, payload=payload
    )


def report_state(request: NotificationRequest, response: NotificationResponse) -> ReportState:
    """Say what has been reported once the API has answered a request so."""
    if request.payload != STOPPED:
        return ReportState.STARTED
    return ReportState.DUPLICATE if response.duplicate else ReportState.STOPPED
