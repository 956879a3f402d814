"""What the samples of a host say, and what of it must be told (design, section 4; spec repeated-check).

Nothing here depends on having seen an edge: what must be told follows from what holds and what was told before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instance_ha.decide import strategy as strategies
from instance_ha.models.enums import NotificationType
from instance_ha.models.health import (
    Answer,
    HostHealth,
    HostState,
    Report,
    Sample,
    Sight,
    Sighting,
    Strategy,
    Told,
    Vector,
    Watched,
)

STOPPED = {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
_STOPPED = frozenset({Told.STOPPED, Told.KNOWN, Told.STOPPED_BEFORE})
STARTED = {"event": "STARTED", "cluster_status": "ONLINE", "host_status": "NORMAL"}


@dataclass(frozen=True)
class Window:
    """How many samples in a row make a state, and how far two of a row may be apart."""

    samples: int
    longest_gap: timedelta


def longest_gap(interval: float, invocation: float) -> timedelta:
    """Return the longest pause after which a poll is not late: one may be missed, and ticks come each minute."""
    return timedelta(seconds=2 * interval + max(0.0, 60 - invocation))


def is_late(last: datetime | None, now: datetime, window: Window) -> bool:
    """Whether so much time has passed since the last good look that nothing is known about what was between."""
    return last is not None and now - last > window.longest_gap


def extended(samples: Sequence[Sample], new: Sample, networks: Sequence[str], window: Window) -> tuple[Sample, ...]:
    """Add a sample; after a gap, or when other networks are watched than before, the window begins anew."""
    kept = [new]
    for sample in sorted(samples, key=lambda s: s.at, reverse=True):
        if kept[0].at - sample.at > window.longest_gap or set(sample.vector) != set(networks):
            break
        if sample.at < kept[0].at:  # never the same look twice
            kept.insert(0, sample)
    return tuple(kept[-window.samples :])


def state(samples: Sequence[Sample], strategy: Strategy, window: Window) -> HostState:
    """Say what the whole window says; a host is down, or up, only if every sample of a full window says so."""
    if len(samples) < window.samples:
        return HostState.UNSURE
    said = {strategies.judge(strategy, sample.vector) for sample in samples}
    return said.pop() if len(said) == 1 else HostState.UNSURE


def vector(sighting: Sighting | None, strategy: Strategy) -> Vector:
    """Return what was seen in each network of the strategy; a host that was not seen is unknown in all."""
    seen = sighting.vector if sighting else {}
    return {network: seen.get(network, Sight.UNKNOWN) for network in strategy.networks}


def looks_down(sighting: Sighting | None, strategy: Strategy) -> bool:
    """Whether a single look says down: the first sign, which the window has yet to confirm."""
    return strategies.judge(strategy, vector(sighting, strategy)) is HostState.DOWN


def look(host: Watched, sighting: Sighting | None, at: datetime, strategy: Strategy, window: Window) -> HostHealth:
    """Remember what a complete answer says of a host: ``sighting`` is None where it was not in the answer."""
    if not host.judged:
        return away(host.health)
    sample = Sample(at, vector(sighting, strategy))
    samples = extended(host.health.samples, sample, strategy.networks, window)
    new = state(samples, strategy, window)
    since = host.health.since if new is host.health.state and host.health.since else at
    listed = sighting is not None and not sighting.on_purpose
    return replace(host.health, samples=samples, state=new, since=since, listed=listed, doubted=False)


def doubt(health: HostHealth) -> HostHealth:
    """Forget the samples of a host in whose segment too many look down: they, too, were taken with broken eyes.

    When sight comes back it comes back host by host. Whoever is the last to look well again must not be taken for
    the only one that is down.
    """
    return replace(health, samples=(), state=HostState.UNSURE, since=None, doubted=True)


def away(health: HostHealth) -> HostHealth:
    """Forget a host that is not judged now; when it is judged again, it is as if it was seen for the first time."""
    told = Told.STOPPED_BEFORE if health.told in _STOPPED else health.told
    return HostHealth(host_uuid=health.host_uuid, told=told, told_at=health.told_at, answer=health.answer)


def due(host: Watched, before: HostHealth, now: datetime, patience: timedelta) -> Report | None:
    """Say what must be told about a host now, if anything; the first look after a doubt is not believed yet.

    What the API took for a duplicate is told again after ``patience``, if it still holds: it may have been a second
    failure so soon after the first that nobody could tell.
    """
    health = host.health
    if not host.judged or health.since is None or before.doubted or health.doubted:
        return None
    at, payload = health.since, STOPPED
    if health.state is HostState.UP and health.told in _STOPPED:
        payload = STARTED
    elif health.state is not HostState.DOWN or health.told is Told.STOPPED:
        return None
    elif health.told is Told.KNOWN:
        if health.told_at is not None and now - health.told_at <= patience:
            return None
        at = now
    return Report(hostname=host.name, type=NotificationType.COMPUTE_HOST, generated_time=at, payload=payload)


def told_by(report: Report, answer: Answer) -> Told:
    """Name what has been told when the API has answered so."""
    if report.payload != STOPPED:
        return Told.STARTED
    return Told.KNOWN if answer.known else Told.STOPPED
