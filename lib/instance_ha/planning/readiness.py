"""What every segment would survive now: read from Nova and Placement, decided in ``decide``; nothing is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from instance_ha.decide.capacity import Death, Segment, capacity
from instance_ha.decide.fencing import SHARED
from instance_ha.decide.instances import choose
from instance_ha.decide.readiness import CloudFacts, Evaluated, evaluate, traits_asked_for
from instance_ha.fencing.probe import probe
from instance_ha.models import rows
from instance_ha.models.capacity import Room
from instance_ha.models.enums import RecoveryMethod
from instance_ha.models.errors import CloudRefused, CloudUnavailable, Misconfigured
from instance_ha.models.evidence import LocalDisk, SegmentPolicy
from instance_ha.models.fencing import FencePolicy
from instance_ha.models.readiness import Fit, HostReadiness, Protected, SegmentReadiness
from instance_ha.planning.cloud_facts import AT_ONCE, read_facts
from instance_ha.planning.instances import instance_policy, servers_of
from instance_ha.store import readiness as store
from instance_ha.world import ReadinessWorld

_LATE = "the time of one invocation was up"


@dataclass(frozen=True)
class _Registered:
    """A segment, and what was found on its hosts: the instances, or why they are not known."""

    segment: rows.Segment
    policy: SegmentPolicy
    hosts: Sequence[rows.Host]
    protected: Mapping[str, Protected | str]


def readiness(world: ReadinessWorld) -> list[SegmentReadiness]:
    """Say of each segment what it would survive; what neither Nova nor Placement tells is not known."""
    end = world.deadline()

    def is_late() -> bool:
        return world.clock.now() >= end

    with world.database.read() as connection:
        found = store.registered(connection)

    def protected(about: tuple[rows.Host, SegmentPolicy]) -> Protected | str:
        return _LATE if is_late() else _protected(world, *about)

    pairs = [(host, policy) for _, policy, hosts in found for host in hosts]
    seen = dict(zip((host.name for host, _ in pairs), world.map_concurrent(protected, pairs, AT_ONCE), strict=True))
    asked = traits_asked_for([server for one in seen.values() if isinstance(one, Protected) for server in one.servers])
    reserved = frozenset(host.name for host, _ in pairs if host.reserved)
    facts: CloudFacts | str
    try:
        facts = read_facts(world.nova, world.placement, asked, reserved, world.map_concurrent, is_late)
    except (CloudUnavailable, CloudRefused) as error:
        facts = str(error)
    shared = _shared_machines(world, [host.name for host, _ in pairs])

    def fence(pair: tuple[rows.Host, SegmentPolicy]) -> tuple[str, ...]:
        host, policy = pair
        return () if policy.fence is FencePolicy.NEVER else (*shared.get(host.name, ()), *_fence(world, host))

    fences = dict(zip(seen, world.map_concurrent(fence, pairs, AT_ONCE), strict=True))
    return [
        _segment(_Registered(segment, policy, hosts, seen), facts, fences, shares=world.settings.share_reserved_hosts)
        for segment, policy, hosts in found
    ]


def _protected(world: ReadinessWorld, host: rows.Host, policy: SegmentPolicy) -> Protected | str:
    """Choose the instances that a recovery would evacuate, as it does."""
    try:
        servers = servers_of(world.nova, host.name)
    except (CloudUnavailable, CloudRefused) as error:
        return str(error)
    choice = choose(servers.values(), instance_policy(world.settings, policy.local_disk))
    return Protected(host.name, choice.chosen, is_held=policy.local_disk is LocalDisk.HOLD)


def _shared_machines(world: ReadinessWorld, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Say of which hosts the power of another one would be cut, too, or instead."""
    try:
        found = world.fences.shared(names)
    except Misconfigured:  # which is said of each host
        return {}
    return {host: (f"{host}: {SHARED.format(other)}",) for host, other in found.items()}


def _fence(world: ReadinessWorld, host: rows.Host) -> tuple[str, ...]:
    """Ask for the power of a host that would be fenced; nothing is changed."""
    try:
        return probe(world.fences, host.name, world.clock.now()).troubles
    except Misconfigured as error:
        return (str(error),)


def _segment(
    about: _Registered, facts: CloudFacts | str, fences: Mapping[str, tuple[str, ...]], *, shares: bool
) -> SegmentReadiness:
    uuid = about.segment.uuid
    if isinstance(facts, str):
        hosts = tuple(_unknown(host, facts, fences[host.name]) for host in about.hosts)
        return SegmentReadiness(segment_uuid=uuid, survives=None, reason=facts, hosts=hosts)
    method = about.segment.recovery_method
    spare = _rooms(facts, [host.name for host in about.hosts if host.reserved and host.name in facts.up])
    rooms = _rooms(facts, sorted(facts.scheduled))
    targets = [] if method is RecoveryMethod.RESERVED_HOST else rooms
    targets = targets if method is RecoveryMethod.AUTO else [*targets, *spare]
    destinations = frozenset(room.host for room in targets)
    evaluated: dict[str, Evaluated | str] = {}
    for host in about.hosts:
        there = about.protected[host.name]
        evaluated[host.name] = there if isinstance(there, str) else evaluate(there, facts, destinations)
    known = {name: one for name, one in evaluated.items() if isinstance(one, Evaluated) and one.is_known}
    found = capacity(
        Segment(
            needs={name: one.needs for name, one in known.items()},
            rooms=rooms,
            reserved=spare,
            method=method,
            shares_reserved=shares,
        )
    )
    deaths = {death.host: death for death in found.deaths}
    hosts = tuple(_host(host, about, evaluated[host.name], deaths, fences[host.name]) for host in about.hosts)
    unknown = next((f"{one.name}: {one.reason}" for one in hosts if one.fit is Fit.UNKNOWN), None)
    return SegmentReadiness(
        segment_uuid=uuid, survives=None if unknown else found.survives, reason=unknown, hosts=hosts
    )


def _rooms(facts: CloudFacts, hosts: Sequence[str]) -> list[Room]:
    return [facts.rooms[host] for host in hosts if host in facts.rooms]


def _host(
    host: rows.Host, about: _Registered, evaluated: Evaluated | str, deaths: Mapping[str, Death], fence: tuple[str, ...]
) -> HostReadiness:
    there = about.protected[host.name]
    if isinstance(evaluated, str) or isinstance(there, str):
        return _unknown(host, str(evaluated), fence)
    death = deaths.get(host.name)
    return HostReadiness(
        uuid=host.uuid,
        name=host.name,
        fit=death.fit if death else Fit.UNKNOWN,
        reason=None if death else "Placement does not say what each of its instances takes",
        protected=len(there.servers),
        left_over=death.left_over if death else (),
        instances=evaluated.troubled,
        fence_troubles=fence,
    )


def _unknown(host: rows.Host, reason: str, fence: tuple[str, ...]) -> HostReadiness:
    return HostReadiness(uuid=host.uuid, name=host.name, fit=Fit.UNKNOWN, reason=reason, fence_troubles=fence)
