"""What Nova and Placement say of the whole cloud: a few lists, and two questions a host; nothing for an instance."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from instance_ha import log
from instance_ha.decide.readiness import CloudFacts
from instance_ha.models.capacity import Room
from instance_ha.models.cloud import ServerGroup
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.ports import Nova, Placement

MapConcurrent = Callable[[Callable[[Any], Any], Iterable[Any], int], list[Any]]
AT_ONCE = 8  # questions


@dataclass(frozen=True)
class _Taken:
    """What is taken of one provider, and, of a host's own, what there is."""

    uuid: str
    allocations: Mapping[str, Mapping[str, int]]
    room: Room | None


def read_facts(
    nova: Nova,
    placement: Placement,
    traits: Iterable[str],
    reserved: frozenset[str],
    each: MapConcurrent,
    is_late: Callable[[], bool],
) -> CloudFacts:
    """Read it. A host has no room, and nobody knows what is on it, if Placement does not tell of one of its providers.

    Args:
        nova: is asked.
        placement: is asked.
        traits: those that flavors ask for.
        reserved: hosts that Nova's scheduler does not count with.
        each: asks for many things at the same time.
        is_late: whether there is no time for more questions.

    Raises:
        CloudUnavailable: one of the lists of the whole cloud cannot be had.
        CloudRefused: we may not read one.

    """
    services = nova.services()
    hosts = nova.provider_hosts()
    providers = placement.providers()
    having = {trait: placement.with_trait(trait) for trait in sorted(traits)}

    def ask(uuid: str) -> _Taken | None:
        return None if is_late() else _ask(placement, uuid, hosts.get(uuid))

    ours = [one for one in providers if one.root in hosts]
    answers = each(ask, [one.uuid for one in ours], AT_ONCE)
    unread = {one.root for one, answer in zip(ours, answers, strict=True) if answer is None}
    taken = [one for one in answers if one is not None]
    own = [one for one in taken if one.room is not None and one.uuid not in unread]
    return CloudFacts(
        rooms={one.room.host: one.room for one in own if one.room},
        allocations={one.room.host: one.allocations for one in own if one.room},
        scheduled=frozenset(one.host for one in services if one.up and not one.disabled and one.host not in reserved),
        up=frozenset(one.host for one in services if one.up),
        aggregates=nova.aggregates(),
        groups=_by_member(nova.server_groups()),
        with_devices=frozenset(instance for one in taken if one.room is None for instance in one.allocations),
        traits={trait: frozenset(hosts[uuid] for uuid in uuids if uuid in hosts) for trait, uuids in having.items()},
    )


def _ask(placement: Placement, uuid: str, host: str | None) -> _Taken | None:
    try:
        allocations = placement.allocations(uuid)
        if host is None:  # a nested provider
            return _Taken(uuid, allocations, None)
        inventories = placement.inventories(uuid)
    except (CloudUnavailable, CloudRefused) as error:
        log.get().warning("provider not read", uuid=uuid, host=host, reason=str(error))
        return None
    used: dict[str, int] = {}
    for amounts in allocations.values():
        for resource, amount in amounts.items():
            used[resource] = used.get(resource, 0) + amount
    free = {name: replace(inventory, used=used.get(name, 0)) for name, inventory in inventories.items()}
    return _Taken(uuid, allocations, Room(host, free))


def _by_member(groups: Iterable[ServerGroup]) -> dict[str, ServerGroup]:
    return {member: group for group in groups for member in group.members}
