"""What is promised of a segment's capacity, against a search that tries everything."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from instance_ha.decide.capacity import Segment, capacity, largest
from instance_ha.models.capacity import Inventory, Need, Room
from instance_ha.models.enums import RecoveryMethod
from instance_ha.models.readiness import Fit

SEEDS = range(300)
NO_SEARCH = 11  # instances on a host, for which all choices are not tried


def room(host: str, **free: int) -> Room:
    return Room(host, {name: Inventory(total=amount) for name, amount in free.items()})


def need(name: str, hosts: frozenset[str] | None = None, **resources: int) -> Need:
    return Need(name, resources, hosts)


def uniform(hosts: int, instances: int, free: int) -> Segment:
    """Hosts of one size, with so many instances of size 1 each."""
    names = [f"h{n:02}" for n in range(hosts)]
    return Segment(
        needs={host: [need(f"{host}-{n}", MEMORY_MB=1) for n in range(instances)] for host in names},
        rooms=[room(host, MEMORY_MB=free) for host in names],
    )


def refused(room: Room, need: Need, taken: Sequence[tuple[Need, str]]) -> bool:
    """Say whether a host has no place for an instance, in the plainest way."""
    there = [one for one, host in taken if host == room.host]
    if need.hosts is not None and room.host not in need.hosts:
        return True
    if need.group and (room.host in need.apart or any(one.group == need.group for one in there)):
        return True
    for name, amount in need.resources.items():
        used = sum(one.resources.get(name, 0) for one in there)
        inventory = room.inventories.get(name)
        if amount and (inventory is None or used + amount > inventory.free or amount > inventory.max_unit):
            return True
    return False


def is_left_over(needs: list[Need], rooms: list[Room], taken: tuple[tuple[Need, str], ...] = ()) -> bool:
    """Try every order and every choice: whether one of them leaves an instance over."""
    for position, one in enumerate(needs):
        choices = [room for room in rooms if not refused(room, one, taken)]
        others = needs[:position] + needs[position + 1 :]
        if not choices or any(is_left_over(others, rooms, (*taken, (one, room.host))) for room in choices):
            return True
    return False


def refuted(segment: Segment, rooms: Sequence[Room], deaths: int) -> bool:
    for dead in combinations(segment.needs, deaths):
        lost = [one for host in dead for one in segment.needs[host]]
        if is_left_over(lost, [room for room in rooms if room.host not in dead]):
            return True
    return False


def drawn(random: Random) -> Segment:
    """Draw a small segment, with limits of all kinds."""
    names = [f"h{n}" for n in range(random.randint(2, 4))]
    outside = ["other"] * random.randint(0, 1)
    resources = ["MEMORY_MB", "VCPU"][: random.randint(1, 2)]
    rooms = [
        Room(name, {one: Inventory(total=random.randint(0, 7), max_unit=random.choice([3, 9])) for one in resources})
        for name in [*names, *outside]
    ]
    needs: dict[str, list[Need]] = {name: [] for name in names}
    for number in range(random.randint(1, 4)):
        amounts = {one: random.randint(0 if one == "VCPU" else 1, 3) for one in resources}
        allowed = frozenset(random.sample(names, random.randint(1, len(names)))) if random.random() < 0.2 else None
        needs[random.choice(names)].append(Need(f"i{number}", amounts, allowed))
    if random.random() < 0.4:
        needs = dict(grouped(needs))
    return Segment(needs=needs, rooms=rooms)


def grouped(needs: dict[str, list[Need]]) -> Iterator[tuple[str, list[Need]]]:
    """Put one instance of each host into one group whose members must be apart."""
    members = [host for host, ours in needs.items() if ours]
    for host, ours in needs.items():
        elsewhere = tuple(other for other in members if other != host)
        yield host, [replace(one, group="g", apart=elsewhere) for one in ours[:1]] + ours[1:]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_choice_of_the_scheduler_refutes_what_was_promised(seed: int) -> None:
    segment = drawn(Random(seed))
    found = capacity(segment)
    for deaths in range(1, found.survives + 1):
        assert not refuted(segment, segment.rooms, deaths)
    for death in found.deaths:
        others = [room for room in segment.rooms if room.host != death.host]
        assert (death.fit is Fit.FITS) is not is_left_over(list(segment.needs[death.host]), others)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_alone_is_not_refuted_either(seed: int) -> None:
    segment = drawn(Random(seed))
    found = capacity(crowded(segment))
    for deaths in range(1, found.survives + 1):
        assert not refuted(segment, segment.rooms, deaths)


def crowded(segment: Segment) -> Segment:
    """Add many instances that keep the search away, and take nothing."""
    nothing = [Need(f"nothing-{n}", {}) for n in range(NO_SEARCH)]
    return replace(segment, needs={host: [*ours, *nothing] if ours else [] for host, ours in segment.needs.items()})


def test_half_of_the_drawn_segments_are_promised_something() -> None:
    """So many can refute it: one that promises nothing is not refuted by anything."""
    segments = [drawn(Random(seed)) for seed in SEEDS]
    for asked in (segments, map(crowded, segments)):
        assert sum(capacity(segment).survives > 0 for segment in asked) >= len(SEEDS) / 2


@pytest.mark.parametrize(("holds", "most"), [(1, 1), (0, 0), (1, 1000), (321, 1000), (999, 1000), (1000, 1000)])
def test_the_largest_number_is_found_by_few_questions(holds: int, most: int) -> None:
    asked: list[int] = []

    def is_small(number: int) -> bool:
        asked.append(number)
        return number <= holds

    assert largest(is_small, most) == holds
    assert len(asked) <= 20


def test_two_hosts_that_are_half_full_survive_one_death() -> None:
    assert capacity(uniform(2, 20, 20)).survives == 1
    assert capacity(uniform(2, 20, 19)).survives == 0


@pytest.mark.parametrize(("free", "survives"), [(19, 6), (9, 4), (3, 2), (2, 1), (1, 0)])
def test_a_segment_survives_as_many_deaths_as_there_is_room_for(free: int, survives: int) -> None:
    assert capacity(uniform(10, 12, free)).survives == survives


def test_those_who_are_left_over_are_named_and_the_first_ones_are_not_among_them() -> None:
    found = capacity(uniform(2, 20, 18))
    assert [death.left_over for death in found.deaths] == [("h00-18", "h00-19"), ("h01-18", "h01-19")]


def test_what_fits_only_if_it_is_spread_is_not_promised() -> None:
    """Two small ones on one host leave no room for the large one."""
    needs = {"dead": [need("small", MEMORY_MB=2), need("tiny", MEMORY_MB=2), need("large", MEMORY_MB=4)]}
    rooms = [room("a", MEMORY_MB=4), room("b", MEMORY_MB=5)]
    death = capacity(Segment(needs=needs, rooms=rooms)).deaths[0]
    assert death.fit is not Fit.FITS


def test_an_instance_larger_than_one_may_be_is_left_over_whatever_is_free() -> None:
    rooms = [Room("a", {"VCPU": Inventory(total=8, allocation_ratio=16.0, max_unit=8)})]
    death = capacity(Segment(needs={"dead": [need("large", VCPU=9)]}, rooms=rooms)).deaths[0]
    assert (death.fit, death.left_over) == (Fit.LEFT_OVER, ("large",))


@pytest.mark.parametrize(
    ("inventory", "free"),
    [
        (Inventory(total=100, used=30, reserved=10, allocation_ratio=1.5), 105),
        (Inventory(total=3, allocation_ratio=0.9), 2),
        (Inventory(total=10, used=20), 0),
    ],
)
def test_what_is_free_is_reckoned_as_placement_does(inventory: Inventory, free: int) -> None:
    assert inventory.free == free


class TestReservedHosts:
    """They take what they can take, as the segment's method has it."""

    def survives(self, method: RecoveryMethod, *reserved: int, shared: bool = False) -> int:
        needs = {name: [need(f"on-{name}", MEMORY_MB=2)] for name in ("a", "b")}
        full = [room(name, MEMORY_MB=0) for name in needs]
        spare = [room(f"r{n}", MEMORY_MB=free) for n, free in enumerate(reserved)]
        found = Segment(needs=needs, rooms=full, reserved=spare, method=method, shares_reserved=shared)
        return capacity(found).survives

    def test_they_do_not_count_where_they_are_not_used(self) -> None:
        assert self.survives(RecoveryMethod.AUTO, 9) == 0

    @pytest.mark.parametrize(
        "method", [RecoveryMethod.RESERVED_HOST, RecoveryMethod.AUTO_PRIORITY, RecoveryMethod.RH_PRIORITY]
    )
    def test_one_serves_one_recovery(self, method: RecoveryMethod) -> None:
        assert self.survives(method, 9) == 1

    def test_each_recovery_may_have_one_of_its_own(self) -> None:
        assert self.survives(RecoveryMethod.RESERVED_HOST, 2, 2) == 2
        assert self.survives(RecoveryMethod.RESERVED_HOST, 2, 1) == 1

    def test_a_shared_one_serves_all_recoveries(self) -> None:
        assert self.survives(RecoveryMethod.RESERVED_HOST, 4, shared=True) == 2
        assert self.survives(RecoveryMethod.RESERVED_HOST, 3, shared=True) == 1
