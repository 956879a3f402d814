"""monitor-poll: asks who is up, remembers it in Postgres, and reports hosts whose whole window says that they are down.

An invocation makes as many looks as fit into it; each is claimed for its time, so that of two ticks only one makes it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instance_ha import emit, log
from instance_ha.decide import eyes, health
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import SightUnavailable, StoreUnavailable
from instance_ha.models.health import HostState, Report, View, Watched
from instance_ha.monitoring import reporting
from instance_ha.settings import Settings
from instance_ha.store import host_health, watches
from instance_ha.world import World, new_owner

_SLACK = 0.1  # part of an interval by which a tick may come early


@dataclass(frozen=True)
class _Look:
    """A claimed look."""

    owner: str
    at: datetime
    last: datetime | None  # when the last good one was made
    listed: frozenset[str]


@dataclass(frozen=True)
class _Seen:
    """A host with what is remembered of it now, and before."""

    host: Watched
    before: Watched


def poll(world: World) -> int:
    """Look again and again for the time of one invocation; returns how often that was."""
    if world.settings.monitoring_driver is None:
        log.get().debug("hosts are not watched: no monitoring_driver is set")
        return 0
    deadline, looks = world.deadline(), 0
    while True:
        begun = world.clock.now()
        try:
            looks += poll_once(world)
            until = _next(world)
        except StoreUnavailable as error:
            log.get().error("hosts are not watched: Postgres does not answer", reason=str(error))
            until = None
        until = until or begun + timedelta(seconds=world.settings.monitoring_interval)
        if until >= deadline:
            return looks
        world.clock.sleep(max(0.1, (until - world.clock.now()).total_seconds()))


def poll_once(world: World) -> bool:
    """Look once, if a look is due."""
    look = _claim(world)
    if look is None:
        return False
    world.breakpoint(Breakpoint.POLL_CLAIMED)
    view = _ask(world, look)
    seen = _remember(world, look, view)
    world.breakpoint(Breakpoint.POLL_STORED)
    if view is not None and seen is not None and not _was_late(world, look):
        reporting.tell_hosts(world, [(one.host, report) for one in seen if (report := _due(world, look, one))])
    return True


def _due(world: World, look: _Look, seen: _Seen) -> Report | None:
    patience = timedelta(seconds=world.settings.duplicate_notification_detection_interval)
    return health.due(seen.host, seen.before.health, look.at, patience)


def _next(world: World) -> datetime | None:
    with world.database.begin() as connection:
        due = watches.next_due(connection, [watches.HOSTS])
    return due and due + timedelta(seconds=world.settings.monitoring_interval * _SLACK)


def _claim(world: World) -> _Look | None:
    now, owner = world.clock.now(), new_owner()
    hold = world.settings.monitoring_interval * (1 - _SLACK)
    with world.database.begin() as connection:
        watches.register(connection, [watches.HOSTS], now)
        taken = watches.claim(connection, [watches.HOSTS], owner, now, hold, 1)
        if watches.HOSTS not in taken:
            return None
        return _Look(owner, now, taken[watches.HOSTS], host_health.listed(connection))


def _ask(world: World, look: _Look) -> View | None:
    """Return a complete answer that is not old already; None when we do not know."""
    try:
        view = world.source.look(look.listed)
    except SightUnavailable as error:
        _cry(world, "hosts cannot be seen: nothing is reported", reason=str(error))
        return None
    took = (world.clock.now() - look.at).total_seconds()
    if took > world.settings.monitoring_interval:
        _cry(world, "the answer about the hosts took too long: nothing is reported", seconds=round(took, 1))
        return None
    return view


def _remember(world: World, look: _Look, view: View | None) -> list[_Seen] | None:
    """Store what follows from an answer, and from there being none; None when another look has overtaken this one."""
    with world.database.begin() as connection:
        if not watches.hold(connection, watches.HOSTS, look.owner):
            log.get().warning("another look at the hosts has overtaken this one: it does not count")
            return None
        hosts = host_health.watched(connection)
        doubt = eyes.Doubt() if view is None else _doubt(world, view, hosts)
        seen = _decided(world, look, view, hosts, doubt)
        host_health.write(connection, (one.host.health for one in seen))
        host_health.forget(connection)
        if view is not None:
            watches.looked(connection, watches.HOSTS, look.at)
    for reason in doubt.reasons:
        _cry(world, "too many hosts look down at once: nothing is reported", reason=reason)
    for one in seen:
        _say(world, one)
    return seen


def _cry(world: World, what: str, **about: object) -> None:
    """Say loudly, in the log and to those who follow, that our own eyes are broken."""
    log.get().error(what, **about)
    emit.monitor_degraded(world, ", ".join([what, *(f"{name}: {value}" for name, value in about.items())]))


def _decided(world: World, look: _Look, view: View | None, hosts: list[Watched], doubt: eyes.Doubt) -> list[_Seen]:
    if view is None:
        return [_Seen(host if host.judged else replace(host, health=health.away(host.health)), host) for host in hosts]
    strategy, size = world.source.strategy, window(world.settings)
    seen = []
    for host in hosts:
        if host.judged and doubt.about(host.segment_name):
            known = health.doubt(host.health)
        else:
            known = health.look(host, view.hosts.get(host.name), look.at, strategy, size)
        seen.append(_Seen(replace(host, health=known), host))
    return seen


def _doubt(world: World, view: View, hosts: list[Watched]) -> eyes.Doubt:
    settings, strategy = world.settings, world.source.strategy
    looks = [
        eyes.Look(host.segment_name, health.looks_down(view.hosts.get(host.name), strategy))
        for host in hosts
        if host.judged
    ]
    limits = eyes.Limits(
        settings.down_segment_share,
        settings.down_segment_number,
        settings.down_total_share,
        settings.down_total_number,
    )
    return eyes.doubt(looks, limits)


def _say(world: World, seen: _Seen) -> None:
    host, was = seen.host, seen.before.health
    if not host.judged or host.health.state is was.state:
        return
    if host.health.state is HostState.UP and len(was.samples) < world.settings.monitoring_samples:
        return  # a host that is well when it is first seen is no news
    vector = host.health.samples[-1].vector if host.health.samples else {}
    networks = " ".join(f"{network}={sight}" for network, sight in vector.items())
    log.get().info("host is seen otherwise", host=host.name, was=was.state, now=host.health.state, networks=networks)


def window(settings: Settings) -> health.Window:
    """Return how many looks make a window."""
    gap = health.longest_gap(settings.monitoring_interval, settings.invocation_time)
    return health.Window(settings.monitoring_samples, gap)


def _was_late(world: World, look: _Look) -> bool:
    late = health.is_late(look.last, look.at, window(world.settings))
    if late:
        assert look.last is not None
        gap = round((look.at - look.last).total_seconds())
        _cry(world, "hosts were not seen for too long: nothing is reported before the next look", seconds=gap)
    return late
