"""How many hosts of a segment may die so that all their instances still fit, wherever Nova's scheduler puts them.

A promise must hold whatever the scheduler chooses, and in whatever order it gets the requests. An instance is left over
when every host that it may go to has too little left of one resource; so an adversary who has all the other instances
of the dead hosts to place must fill up every one of these hosts. How many hosts they can fill at most is counted for
each resource by itself, the fullest first: if those are fewer than there are, the instance fits (``_is_proven``). Where
that proves nothing and there is little, all choices are tried (``capacity_search``).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import NamedTuple

from instance_ha.decide.capacity_search import can_be_left_over
from instance_ha.decide.capacity_trial import MEMORY, left_over
from instance_ha.models.capacity import Need, Room
from instance_ha.models.enums import RecoveryMethod
from instance_ha.models.readiness import Fit

_SETS = 500  # of hosts that die together, which are tried one by one
_STEPS = 20_000  # of all searches for one segment together


@dataclass(frozen=True, kw_only=True)
class Segment:
    """The hosts of a segment, what is on them, and where it can go."""

    needs: Mapping[str, Sequence[Need]]  # of every host, by its name, in the order in which they are evacuated
    rooms: Sequence[Room]  # the hosts that Nova's scheduler uses, those of other segments too
    reserved: Sequence[Room] = ()  # reserved hosts that can be used
    method: RecoveryMethod = RecoveryMethod.AUTO
    shares_reserved: bool = False  # whether a reserved host serves several recoveries at once


@dataclass(frozen=True)
class Death:
    """What becomes of the instances of one host if it alone dies."""

    host: str
    fit: Fit
    left_over: tuple[str, ...] = ()  # instances, the first ones first


@dataclass(frozen=True)
class Capacity:
    """The promise of a segment."""

    survives: int  # any so many hosts may die, and all instances still fit
    deaths: tuple[Death, ...]


def capacity(segment: Segment) -> Capacity:
    """Say how many hosts of a segment may die, and what becomes of the instances of each one."""
    proof = _Proof(segment)
    deaths = tuple(_death(proof, segment, host) for host in segment.needs)
    survives = 0
    if all(death.fit is Fit.FITS for death in deaths):
        survives = largest(proof.covers, len(deaths))
    return Capacity(survives, deaths)


def largest(holds: Callable[[int], bool], most: int) -> int:
    """Return the largest number up to ``most`` for which something holds that holds for 1.

    It holds for all below, too. Few numbers are tried, since in a large segment each answer takes long.
    """
    known, beyond = min(1, most), most + 1
    while known + 1 < beyond:
        tried = min(2 * known, (known + beyond) // 2)
        known, beyond = (tried, beyond) if holds(tried) else (known, tried)
    return known


def _death(proof: "_Proof", segment: Segment, host: str) -> Death:
    if proof.fits((host,)):
        return Death(host, Fit.FITS)
    left = left_over(segment.needs[host], proof.emptiest, (host,))
    return Death(host, Fit.LEFT_OVER if left else Fit.MAY_FIT, left)


def destinations(segment: Segment, deaths: int) -> list[Room]:
    """List the hosts that are sure to be tried for an instance when so many hosts die at once.

    A recovery takes one reserved host after the other until nothing is left over. Unless they are shared, others may
    have taken them first when several hosts die at once.
    """
    if segment.method is RecoveryMethod.AUTO:
        return list(segment.rooms)
    reserved = segment.reserved if deaths == 1 or segment.shares_reserved else ()
    if segment.method is RecoveryMethod.RESERVED_HOST:
        return list(reserved)
    return [*segment.rooms, *reserved]


@dataclass(frozen=True)
class _Kind:
    """What counts of an instance."""

    resources: tuple[tuple[str, int], ...]
    hosts: frozenset[str] | None


class _Able(NamedTuple):
    """The hosts that have room now for an instance of a kind."""

    hosts: frozenset[str]
    by_free: dict[str, list[tuple[int, str]]]  # by resource: what each has free, the fullest first
    emptiest: list[Room]  # those with most free memory first


@dataclass
class _Proof:
    """What has been reckoned for a segment, and is used again."""

    segment: Segment
    steps: list[int] = field(default_factory=lambda: [_STEPS])  # that searches may still make
    _by_kind: dict[tuple[_Kind, int], _Able] = field(default_factory=dict)
    _by_free: dict[tuple[str, int], list[Room]] = field(default_factory=dict)
    _rooms: dict[int, list[Room]] = field(default_factory=dict)
    _totals: dict[str, dict[str, int]] = field(default_factory=dict)
    _members: dict[str, dict[_Kind, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for host, needs in self.segment.needs.items():
            self._totals[host] = _total(needs)
            kinds: dict[_Kind, int] = {}
            for need in needs:
                kind = _kind(need)
                kinds[kind] = max(kinds.get(kind, 0), len(need.apart) if need.group else 0)
            self._members[host] = kinds

    def covers(self, deaths: int) -> bool:
        """Whether all instances are proven to fit if any so many hosts die."""
        if self.segment.method is RecoveryMethod.RESERVED_HOST and not self.segment.shares_reserved:
            return self._each_has_its_own(deaths)
        if self._any(deaths):
            return True
        hosts = [host for host, needs in self.segment.needs.items() if needs]
        spare = {room.host for room in self.rooms(deaths)}
        hosts += [host for host in self.segment.needs if host in spare and host not in hosts]
        if comb(len(hosts), min(deaths, len(hosts))) > _SETS:
            return False
        return all(self.fits(dead, deaths) for dead in combinations(hosts, min(deaths, len(hosts))))

    def fits(self, dead: Collection[str], deaths: int = 1) -> bool:
        """Whether all instances of these hosts are proven to fit if just these, of so many, have any."""
        needs = [need for host in dead for need in self.segment.needs[host]]
        if not needs:
            return True
        if self._bound(dead, deaths):
            return True
        rooms = [room for room in self.rooms(deaths) if room.host not in dead]
        return can_be_left_over(needs, rooms, self.steps) is False

    def rooms(self, deaths: int) -> list[Room]:
        which = min(deaths, 2)
        if which not in self._rooms:
            self._rooms[which] = destinations(self.segment, which)
        return self._rooms[which]

    def _each_has_its_own(self, deaths: int) -> bool:
        """Whether there is a reserved host for each, and each of them has room for all of any host."""
        reserved = self.segment.reserved
        return len(reserved) >= deaths and all(map(self._takes_any, reserved))

    def _takes_any(self, room: Room) -> bool:
        return not any(left_over(needs, lambda _: [room], ()) for needs in self.segment.needs.values())

    def _any(self, deaths: int) -> bool:
        """Whether it is proven for any so many hosts at once, those that ask for most of each resource."""
        totals = {
            resource: sum(sorted((total.get(resource, 0) for total in self._totals.values()), reverse=True)[:deaths])
            for resource in {resource for total in self._totals.values() for resource in total}
        }
        kinds = _most_members(self._members.values())
        return all(self._is_proven(kind, members, totals, (), deaths) for kind, members in kinds.items())

    def _bound(self, dead: Collection[str], deaths: int) -> bool:
        totals: dict[str, int] = {}
        for host in dead:
            for resource, amount in self._totals[host].items():
                totals[resource] = totals.get(resource, 0) + amount
        kinds = _most_members(self._members[host] for host in dead)
        return all(self._is_proven(kind, members, totals, dead, deaths) for kind, members in kinds.items())

    def _is_proven(
        self, kind: _Kind, members: int, totals: Mapping[str, int], dead: Collection[str], deaths: int
    ) -> bool:
        """Whether an instance fits: there are more hosts for it than can be filled, or have one of its group."""
        able = self._able(kind, deaths)
        gone = sum(host in able.hosts for host in dead) if dead else deaths
        left = len(able.hosts) - gone - members
        for resource, amount in kind.resources:
            others = totals[resource] - amount
            for free, host in able.by_free[resource]:
                if host in dead:
                    continue
                others -= free - amount + 1  # what fills it so far that the instance has no room
                if others < 0 or left <= 0:
                    break
                left -= 1
        return left > 0

    def emptiest(self, need: Need) -> list[Room]:
        """List the hosts that have room for an instance when one host dies, those with most free memory first."""
        return self._able(_kind(need), 1).emptiest

    def _able(self, kind: _Kind, deaths: int) -> _Able:
        which = min(deaths, 2)
        if (kind, which) not in self._by_kind:
            need = Need("", dict(kind.resources), kind.hosts)
            rooms = [room for room in self._sorted(MEMORY, which) if need.may_go_to(room.host) and room.takes(need)]
            hosts = frozenset(room.host for room in rooms)
            by_free = {
                one: [(room.free(one), room.host) for room in self._sorted(one, which) if room.host in hosts]
                for one, _ in kind.resources
            }
            self._by_kind[kind, which] = _Able(hosts, by_free, rooms[::-1])
        return self._by_kind[kind, which]

    def _sorted(self, resource: str, which: int) -> list[Room]:
        if (resource, which) not in self._by_free:
            rooms = self.rooms(which)
            self._by_free[resource, which] = sorted(rooms, key=lambda room: (room.free(resource), room.host))
        return self._by_free[resource, which]


def _kind(need: Need) -> _Kind:
    return _Kind(tuple(sorted((one, amount) for one, amount in need.resources.items() if amount)), need.hosts)


def _total(needs: Iterable[Need]) -> dict[str, int]:
    total: dict[str, int] = {}
    for need in needs:
        for resource, amount in need.resources.items():
            total[resource] = total.get(resource, 0) + amount
    return total


def _most_members(found: Iterable[Mapping[_Kind, int]]) -> dict[_Kind, int]:
    """Take all kinds together, each with the most members of a group that must be elsewhere."""
    most: dict[_Kind, int] = {}
    for kinds in found:
        for kind, members in kinds.items():
            most[kind] = max(most.get(kind, 0), members)
    return most
