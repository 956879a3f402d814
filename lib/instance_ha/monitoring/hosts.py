"""monitor-poll: asks which hosts are up, remembers it in Postgres, and reports hosts whose whole window says down.

An invocation makes as many polls as fit into it; each is claimed for its time, so that of two ticks only one makes it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha import emit, log
from instance_ha.decide import health, mass_failure, witnesses
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import SourceUnavailable
from instance_ha.models.evidence import Evidence
from instance_ha.models.health import HostState, RegisteredHost, Snapshot
from instance_ha.models.uuids import HostUuid
from instance_ha.monitoring import reporting
from instance_ha.store import evidence, host_health, watches
from instance_ha.ticks import repeat
from instance_ha.world import HostMonitorWorld, new_owner

_SOON = timedelta(seconds=0.1)  # before asking again whether another invocation has made its poll
_SLACK = 0.1  # part of an interval by which a tick may come early


@dataclass(frozen=True)
class _Poll:
    """A claimed poll."""

    owner: str
    at: datetime
    previous: datetime | None  # when the last complete one was made
    listed: frozenset[str]  # the hosts that the source knew then


@dataclass(frozen=True)
class _Change:
    """A host as it is remembered now, and as it was before the poll."""

    host: RegisteredHost
    before: RegisteredHost


def poll(world: HostMonitorWorld) -> None:
    """Poll again and again for the time of one invocation."""
    if world.settings.monitoring_driver is None:
        log.get().debug("host monitoring disabled", setting="monitoring_driver")
        return

    def once(world: HostMonitorWorld, _end: datetime) -> datetime | None:
        poll_once(world)
        with world.database.begin() as connection:
            due = watches.next_due(connection, [watches.HOSTS])
        soon, slack = world.clock.now() + _SOON, timedelta(seconds=world.settings.monitoring_interval * _SLACK)
        return due and max(due + slack, soon)

    repeat(world, "host poll", once, world.settings.monitoring_interval)


def poll_once(world: HostMonitorWorld) -> bool:
    """Poll once, if a poll is due: claim it, ask the source, evaluate and remember its answer, report what is due."""
    poll = _claim(world)
    if poll is None:
        return False
    world.breakpoint(Breakpoint.POLL_CLAIMED)
    snapshot = _ask(world, poll)
    changes = _remember(world, poll, snapshot)
    world.breakpoint(Breakpoint.POLL_STORED)
    if snapshot is None:
        return True
    if poll.previous is not None and health.is_late(poll.previous, poll.at, _window(world)):
        gap = round((poll.at - poll.previous).total_seconds())
        _alert(world, "host polls interrupted", reason=f"the last complete poll was {gap} s ago")
        return True
    patience = timedelta(seconds=world.settings.duplicate_notification_detection_interval)
    due = [(one.host, health.due(one.host, one.before.health, poll.at, patience)) for one in changes]
    reporting.report_hosts(world, [(host, request) for host, request in due if request is not None])
    return True


def _claim(world: HostMonitorWorld) -> _Poll | None:
    now, owner = world.clock.now(), new_owner()
    hold = world.settings.monitoring_interval * (1 - _SLACK)
    with world.database.begin() as connection:
        watches.register(connection, [watches.HOSTS], now)
        taken = watches.claim(connection, [watches.HOSTS], owner, now, hold, 1)
        if watches.HOSTS not in taken:
            return None
        return _Poll(owner, now, taken[watches.HOSTS], host_health.listed(connection))


def _ask(world: HostMonitorWorld, poll: _Poll) -> Snapshot | None:
    """Return a complete answer that is not old already; None when the source does not give one."""
    try:
        snapshot = world.source.poll(poll.listed)
    except SourceUnavailable as error:
        _alert(world, "host source not available", reason=str(error))
        return None
    took = (world.clock.now() - poll.at).total_seconds()
    if took > world.settings.monitoring_interval:
        _alert(world, "host source too slow", reason=f"it took {took:.1f} s to answer")
        return None
    return snapshot


def _remember(world: HostMonitorWorld, poll: _Poll, snapshot: Snapshot | None) -> Sequence[_Change]:
    """Store what follows from an answer, and from there being none; nothing when another poll has overtaken this one.

    Reading, evaluating and writing are one transaction, so that no two polls mix.
    """
    settings = world.settings
    limits = mass_failure.Limits(
        settings.down_segment_share,
        settings.down_segment_number,
        settings.down_total_share,
        settings.down_total_number,
    )
    with world.database.begin() as connection:
        if not watches.hold(connection, watches.HOSTS, poll.owner):
            log.get().warning("host poll superseded")
            return []
        before = host_health.registered(connection)
        found = health.evaluate(before, snapshot, poll.at, world.source.strategy, _window(world), limits)
        host_health.write(connection, (host.health for host in found.hosts))
        host_health.forget(connection)
        evidence.add(connection, _evidence(world, poll, snapshot, found))
        if snapshot is not None:
            watches.polled(connection, watches.HOSTS, poll.at)
    for reason in found.suppression.reasons:
        _alert(world, "host reports suppressed", reason=reason)
    changes = [_Change(host, was) for host, was in zip(found.hosts, before, strict=True)]
    for change in changes:
        _log(world, change)
    return changes


def _evidence(
    world: HostMonitorWorld, poll: _Poll, snapshot: Snapshot | None, found: health.Evaluation
) -> Iterator[Evidence]:
    """Say what the poll tells of the hosts that are down or are being recovered; a suppressed one tells nothing."""
    strategy, lasts = world.source.strategy, _window(world).longest_gap
    if snapshot is None:
        return
    for host in found.hosts:
        is_asked_for = host.open_recovery is not None or host.health.state is HostState.DOWN
        if is_asked_for and not found.suppression.covers(host.segment_name):
            vector = health.vector(snapshot.hosts.get(host.name), strategy)
            yield witnesses.of_vector(
                HostUuid(host.health.host_uuid), host.open_recovery, vector, strategy, poll.at, lasts
            )


def _window(world: HostMonitorWorld) -> health.Window:
    gap = health.longest_gap(world.settings.monitoring_interval, world.settings.invocation_time)
    return health.Window(world.settings.monitoring_samples, gap)


def _log(world: HostMonitorWorld, change: _Change) -> None:
    host, was, now = change.host, change.before.health, change.host.health
    if not host.monitored or now.state is was.state:
        return
    if now.state is HostState.UP and len(was.samples) < world.settings.monitoring_samples:
        return  # a host that is up when it is polled for the first time is no news
    vector = now.samples[-1].vector if now.samples else {}
    networks = " ".join(f"{network}={reading}" for network, reading in vector.items())
    log.get().info("host state changed", host=host.name, was=was.state, now=now.state, networks=networks)


def _alert(world: HostMonitorWorld, what: str, reason: str) -> None:
    """Alert, by the log and by an event, that hosts cannot be monitored now, so that no failure is reported."""
    log.get().error(what, reason=reason)
    emit.monitor_degraded(world, f"{what}: {reason}")
