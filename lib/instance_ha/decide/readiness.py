"""Where each protected instance could go, whether it could be recovered at all, and what its segment survives."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from instance_ha.models.capacity import Need, Room
from instance_ha.models.cloud import Aggregate, Server, ServerGroup
from instance_ha.models.readiness import Ability, InstanceReadiness, Protected

_TRAIT, _AGGREGATE, _PROJECTS = "trait:", "aggregate_instance_extra_specs:", "filter_tenant_id"
# What Placement's amounts do not tell: which CPUs of which NUMA node, which pages, which devices are free.
_NOT_COUNTED = ("hw:cpu_policy", "hw:cpu_dedicated_mask", "hw:numa_nodes", "hw:mem_page_size", "pci_passthrough:alias")
_NOT_DEDICATED = {("hw:cpu_policy", "shared")}
# What is asked of a hypervisor, or of one of several providers.
_ELSEWHERE = re.compile(r"capabilities:|(trait|resources)[A-Za-z0-9_-]+:")
_OPERATORS = ("<", "=", ">", "s", "!")  # how a value begins that is more than a word: "<in> a", "s== b", ">= 2"


@dataclass(frozen=True, kw_only=True)
class CloudFacts:
    """What Nova and Placement say of all hosts at about one time."""

    rooms: Mapping[str, Room]  # by host
    allocations: Mapping[str, Mapping[str, Mapping[str, int]]]  # by host: what each instance takes of it, by instance
    scheduled: frozenset[str]  # the hosts that Nova's scheduler uses: enabled, up, and not reserved
    up: frozenset[str] = frozenset()  # the hosts whose nova-compute is
    aggregates: Sequence[Aggregate] = ()
    groups: Mapping[str, ServerGroup] = field(default_factory=dict)  # by instance
    with_devices: frozenset[str] = frozenset()  # instances that take something of a nested provider, such as a vGPU
    traits: Mapping[str, frozenset[str]] = field(default_factory=dict)  # the hosts that have each trait


@dataclass(frozen=True)
class Evaluated:
    """What can be said of the protected instances of a host."""

    needs: tuple[Need, ...]  # of those that could be recovered, or perhaps, the first ones first
    troubled: tuple[InstanceReadiness, ...]  # those that could not be recovered, or perhaps not
    is_known: bool  # whether it is known of each what it takes


def traits_asked_for(servers: Sequence[Server]) -> set[str]:
    """Name the traits that the flavors of instances require or forbid."""
    asked = (name for server in servers for name in server.extra_specs)
    return {name.removeprefix(_TRAIT) for name in asked if name.startswith(_TRAIT)}


def evaluate(protected: Protected, facts: CloudFacts, destinations: frozenset[str]) -> Evaluated:
    """Say of each protected instance of a host what it needs, and whether it could be recovered.

    Args:
        protected: the instances.
        facts: of the cloud.
        destinations: the hosts that may take instances, reserved ones too.

    """
    needs: list[Need] = []
    troubled: list[InstanceReadiness] = []
    for server in protected.servers:
        need = _need(server, protected.host, facts)
        trouble = _trouble(server, need, protected, facts, destinations)
        if need is not None and (trouble is None or trouble[0] is Ability.UNKNOWN):
            needs.append(need)  # what is not known may take room all the same
        if trouble is not None:
            troubled.append(InstanceReadiness(server.id, server.name, *trouble))
    is_known = all(server.id in facts.allocations.get(protected.host, {}) for server in protected.servers)
    return Evaluated(tuple(needs), tuple(troubled), is_known=is_known)


def _trouble(
    server: Server, need: Need | None, protected: Protected, facts: CloudFacts, destinations: frozenset[str]
) -> tuple[Ability, str] | None:
    """Say why an instance could not be recovered however much room there is, or why that is not known."""
    if protected.is_held and not server.on_volume:
        return Ability.NO, "its disk would be lost, and the segment's policy holds the recovery of such a host"
    if need is None:
        return Ability.UNKNOWN, "Placement does not say what it takes of its host"
    if (uncounted := _uncounted(server, facts)) is not None:
        return Ability.UNKNOWN, uncounted
    others = destinations - {protected.host}
    allowed = others if need.hosts is None else others & need.hosts
    if not allowed and need.hosts is not None:
        return Ability.NO, f"no other host has {_asked(server, facts)}"
    if allowed and not any(need.may_go_to(host) for host in allowed):
        return Ability.NO, "every other host has a member of its server group, whose policy is anti-affinity"
    return None


def _uncounted(server: Server, facts: CloudFacts) -> str | None:
    """Say what of an instance Placement's amounts do not tell."""
    if server.id in facts.with_devices:
        return "it has a device, or is bound to one NUMA node, and nothing tells whether that fits elsewhere"
    for name in _NOT_COUNTED:
        if name in server.extra_specs and (name, server.extra_specs[name]) not in _NOT_DEDICATED:
            return f"its flavor asks for {name}, and nothing tells where that is free"
    if not server.shows_extra_specs:
        return "Nova's policy does not let us see what its flavor asks for"
    group = facts.groups.get(server.id)
    if group is not None and group.policy == "affinity":
        return "its server group has the policy affinity, and Nova may let it go nowhere but to its dead host"
    return next((f"its flavor asks for {name}, which is not understood here" for name in _not_understood(server)), None)


def _not_understood(server: Server) -> list[str]:
    """Name what its flavor asks of hypervisors, of one of several providers, and of aggregates by operators."""
    asked = ((name, value) for name, value in server.extra_specs.items() if name.startswith(_AGGREGATE))
    unusual = [name for name, value in asked if " " in value.strip() and value.strip().startswith(_OPERATORS)]
    return [*unusual, *filter(_ELSEWHERE.match, server.extra_specs)]


def _need(server: Server, host: str, facts: CloudFacts) -> Need | None:
    resources = facts.allocations.get(host, {}).get(server.id)
    if resources is None:
        return None
    group = facts.groups.get(server.id)
    is_apart = group is not None and group.policy == "anti-affinity"
    others = sorted(group.members - {server.id}) if group is not None and is_apart else []
    return Need(
        instance=server.id,
        resources=resources,
        hosts=_allowed(server, facts),
        group=group.id if group is not None and is_apart else None,
        apart=tuple(name for other in others for name, taken in facts.allocations.items() if other in taken),
    )


def _allowed(server: Server, facts: CloudFacts) -> frozenset[str] | None:
    """Name the hosts that have what an instance asks for; None: it asks for nothing.

    Nova does not say whether an instance's owner has asked for its zone. It is taken that he has: then it may not leave
    it.
    """
    limits = [hosts for _, hosts in _limits(server, facts)]
    return frozenset.intersection(*limits) if limits else None


def _limits(server: Server, facts: CloudFacts) -> list[tuple[str, frozenset[str]]]:
    """List what limits the hosts of an instance, and which hosts each of it leaves."""
    zones = zones_of(facts.aggregates)
    hosts = frozenset(facts.rooms)
    limits = []
    if server.zone and zones:
        is_named = server.zone in zones.values()
        here = frozenset(host for host in hosts if zones.get(host) == (server.zone if is_named else None))
        limits.append((f"its zone {server.zone}", here))
    for name, value in server.extra_specs.items():
        if name.startswith(_TRAIT):
            having = facts.traits.get(name.removeprefix(_TRAIT), frozenset())
            limits.append((f"{name}={value}", hosts - having if value == "forbidden" else having))
        key = name.removeprefix(_AGGREGATE)
        found = [one for one in facts.aggregates if key in one.metadata]
        if name.startswith(_AGGREGATE) or (found and ":" not in name):  # Nova takes a name without a scope, too
            fitting = (one.hosts for one in found if value in [v.strip() for v in one.metadata[key].split(",")])
            limits.append((f"{name}={value}", frozenset().union(*fitting)))
    if closed := frozenset().union(*(one.hosts for one in facts.aggregates if _is_closed(one, server))):
        limits.append(("a place outside of aggregates that are kept for others", hosts - closed))
    return limits


def _is_closed(aggregate: Aggregate, server: Server) -> bool:
    """Say whether an aggregate is kept for projects, or for flavors with a trait, of which an instance is not one."""
    about = aggregate.metadata.items()
    projects = [one for name, value in about if name.startswith(_PROJECTS) for one in value.replace(" ", "").split(",")]
    traits = [name for name, value in about if name.startswith(_TRAIT) and value == "required"]
    return bool(projects and server.project not in projects) or any(
        server.extra_specs.get(name) != "required" for name in traits
    )


def zones_of(aggregates: Sequence[Aggregate]) -> dict[str, str]:
    """Return the availability zone of each host that is in one by an aggregate."""
    return {host: one.zone for one in aggregates if one.zone is not None for host in one.hosts}


def _asked(server: Server, facts: CloudFacts) -> str:
    return " and ".join(what for what, _ in _limits(server, facts))
