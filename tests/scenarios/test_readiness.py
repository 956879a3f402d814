"""What readiness says of a segment is held against recoveries of it, and against a cloud that does not tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from instance_ha.models.readiness import Fit, HostReadiness, SegmentReadiness
from instance_ha.planning.readiness import readiness
from instance_ha_simulator.database import Stage
from instance_ha_simulator.lasting import clear
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

METHODS = ("auto", "reserved_host", "auto_priority", "rh_priority")
COST = 14
CARD = "/placement/resource_providers/.{14}5"  # of which the uuid is of version 5; that of a host is of version 4
WORLDS = 12  # of which one must carry a promise
HERE = Path(__file__).parent


@contextmanager
def asked(
    world: dict[str, Any],
    postgres: Postgres,
    stage: Stage,
    apart: list[str] | None = None,
    faults: dict[str, Any] | None = None,
) -> Iterator[tuple[Play, SegmentReadiness]]:
    """Play a world in which readiness is asked for at the beginning."""
    found: list[SegmentReadiness] = []
    with TemporaryDirectory() as own:
        play = Play(Scenario(HERE / "nowhere", world, faults or {}), stage, postgres, Path(own))

        def ask() -> None:
            found.extend(readiness(play.simulation.world.for_invocation()))

        begin = play.simulation.scheduler.begin

        def begun() -> None:
            if apart:
                play.simulation.cloud.keep_apart(apart)
            begin()
            play.simulation.scheduler.spawn("readiness", ask, 0.5)

        play.simulation.scheduler.begin = begun  # type: ignore[method-assign]
        play.run()
        yield play, found[0]


def drawn(random: Random, deaths: int) -> tuple[dict[str, Any], list[str]]:
    """Draw a segment that may survive so many deaths, or not; returns it, and which instances must be apart."""
    names = [f"compute{n}" for n in range(random.randint(2 * deaths, 2 * deaths + 2))]
    spare = [f"spare{n}" for n in range(1, random.randint(1, 3))]
    most = 4 - deaths
    instances = {host: [instance(random, f"{host}-{n}") for n in range(random.randint(0, most))] for host in names}
    hosts = {
        host: {
            "capacity": sum(one["size"] for one in there) + random.randint(2 * deaths - 2, 2 * deaths + 2),
            "instances": there,
        }
        for host, there in instances.items()
    } | {host: {"capacity": random.randint(1, 2 * deaths + 2)} for host in spare}
    apart = [there[0]["name"] for there in instances.values() if there] if random.random() < 0.3 else []
    zones = {"a": {"hosts": [*names[:2], *spare], "zone": "za"}} if random.random() < 0.2 else {}
    world = {
        "hosts": hosts,
        "segments": {"one": {"hosts": names, "reserved": spare, "method": random.choice(METHODS)}},
        "disabled": spare,
        "aggregates": zones,
        "boot_at_once": True,
        "settings": {"recovery_attempts": "1", "share_reserved_hosts": str(random.random() < 0.5).lower()},
        "happenings": [],
    }
    return world, apart


def instance(random: Random, name: str) -> dict[str, Any]:
    """Draw an instance; one with a virtual GPU is promised nothing, and takes room all the same."""
    return {"name": name, "size": random.choice([1, 1, 2, 3]), "device": random.random() < 0.1}


def dying(world: dict[str, Any], dead: tuple[str, ...]) -> dict[str, Any]:
    """Let hosts of a world die, and be reported."""
    killed = [{"at": 5, "kill_host": host} for host in dead]
    return world | {"happenings": [*killed, *({"at": 70, "notify": host} for host in dead)]}


@pytest.mark.parametrize(("seed", "deaths"), [*((n, 1) for n in range(10)), *((n, 2) for n in range(10, 15))])
def test_a_recovery_leaves_nothing_over_that_was_said_to_fit(
    seed: int, deaths: int, postgres: Postgres, stage: Stage
) -> None:
    """Worlds are drawn until one is promised something: a readiness that promises nothing fails, too."""
    random = Random(seed)
    for _ in range(WORLDS):
        world, apart = drawn(random, deaths)
        dead = tuple(random.sample(world["segments"]["one"]["hosts"], deaths))
        clear(stage)
        with asked(dying(world, dead), postgres, stage, apart) as (play, found):
            promised = promised_of(world, found, dead)
            left = {play.names[server.id] for server in play.simulation.cloud.servers() if server.host in dead}
            assert not promised & left
        if promised:
            return
    pytest.fail(f"none of {WORLDS} worlds was promised anything")


def promised_of(world: dict[str, Any], found: SegmentReadiness, dead: tuple[str, ...]) -> set[str]:
    """Name the instances of which it was said that they fit elsewhere if these hosts die."""
    assert found.survives is not None
    hosts = [states(found)[name] for name in dead]
    if found.survives < len(dead) and [host.fit for host in hosts] != [Fit.FITS]:
        return set()
    there = {one["name"] for name in dead for one in world["hosts"][name]["instances"]}
    return there - {one.name for host in hosts for one in host.instances}


def states(found: SegmentReadiness) -> dict[str, HostReadiness]:
    return {host.name: host for host in found.hosts}


def two(capacity: int, **more: Any) -> dict[str, Any]:
    """Make a segment of two hosts with three instances each."""
    hosts = {
        name: {"capacity": capacity, "instances": [{"names": [f"vm{number}-{n}" for n in range(3)]}]}
        for number, name in enumerate(("compute1", "compute2"), 1)
    }
    world = {"hosts": hosts, "segments": {"one": {"hosts": [*hosts]}}, "happenings": [], "lasts": 30}
    world["boot_at_once"] = True
    return world | more


def test_a_segment_of_two_hosts_that_are_half_full_survives_one_death(postgres: Postgres, stage: Stage) -> None:
    with asked(two(6), postgres, stage) as (_, found):
        assert found.survives == 1
        assert {host.fit for host in found.hosts} == {Fit.FITS}
        assert [host.protected for host in found.hosts] == [3, 3]


def test_those_who_are_left_over_are_the_ones_that_a_recovery_comes_to_last(postgres: Postgres, stage: Stage) -> None:
    world = two(5)
    world["hosts"]["compute1"]["instances"] = [
        {"names": ["plain-1", "plain-2"]},
        {"name": "first", "metadata": {"HA_Priority": "9"}},
    ]
    with asked(world, postgres, stage) as (play, found):
        one = states(found)["compute1"]
        assert (found.survives, one.fit) == (0, Fit.LEFT_OVER)
        assert "first" not in [play.names[left] for left in one.left_over]
        assert len(one.left_over) == 1


def test_a_large_instance_fits_only_where_one_host_has_room_for_all_of_it(postgres: Postgres, stage: Stage) -> None:
    """Room for four is free on two hosts, yet on neither for three."""
    world = two(5)
    world["hosts"]["compute1"]["instances"] = [{"name": "large", "size": 3}]
    world["hosts"]["compute3"] = {"capacity": 2}
    with asked(world, postgres, stage) as (play, found):
        one = states(found)["compute1"]
        assert (one.fit, [play.names[left] for left in one.left_over]) == (Fit.LEFT_OVER, ["large"])


def test_an_instance_with_a_virtual_gpu_is_named_since_nobody_tells_where_one_is_free(
    postgres: Postgres, stage: Stage
) -> None:
    world = two(6)
    world["hosts"]["compute1"]["instances"] = [{"names": ["plain-1", "plain-2"]}, {"name": "gpu", "device": True}]
    with asked(world, postgres, stage) as (_, found):
        (trouble,) = states(found)["compute1"].instances
        assert (trouble.name, trouble.ability) == ("gpu", "unknown")
        assert states(found)["compute2"].instances == ()


def test_a_host_of_which_a_nested_provider_is_not_told_is_unknown(postgres: Postgres, stage: Stage) -> None:
    """Which of its instances have a virtual GPU is not known then, so nothing is said of any."""
    world = two(6)
    world["hosts"]["compute1"]["instances"] = [{"name": "plain"}, {"name": "gpu", "device": True}]
    silent = {"nova": [{"method": "GET", "path": CARD, "status": 503}]}
    with asked(world, postgres, stage, faults=silent) as (_, found):
        assert (found.survives, states(found)["compute1"].fit) == (None, Fit.UNKNOWN)


def test_larger_instances_take_more_of_the_room(postgres: Postgres, stage: Stage) -> None:
    world = two(6)
    world["hosts"]["compute1"]["instances"] = [{"name": "large", "size": 4}]
    with asked(world, postgres, stage) as (play, found):
        one = states(found)["compute1"]
        assert [play.names[left] for left in one.left_over] == ["large"]
        assert states(found)["compute2"].left_over != ()


def test_what_every_other_host_has_a_member_of_is_named(postgres: Postgres, stage: Stage) -> None:
    with asked(two(6), postgres, stage, ["vm1-0", "vm2-0"]) as (_, found):
        (trouble,) = states(found)["compute1"].instances
        assert (trouble.name, trouble.ability) == ("vm1-0", "no")
        assert "anti-affinity" in trouble.reason


def test_instances_whose_zone_has_no_other_host_are_named(postgres: Postgres, stage: Stage) -> None:
    world = two(6, aggregates={"a": {"hosts": ["compute1"], "zone": "za"}})
    with asked(world, postgres, stage) as (_, found):
        troubles = [one.reason for one in states(found)["compute1"].instances]
        assert troubles == ["no other host has its zone za"] * 3


@pytest.mark.parametrize("path", ["/placement/.*", "/compute/v2.1/os-aggregates", "/compute/v2.1/servers/detail"])
def test_what_is_not_told_is_unknown(path: str, postgres: Postgres, stage: Stage) -> None:
    silent = {"nova": [{"method": "GET", "path": path, "status": 503}]}
    with asked(two(6), postgres, stage, faults=silent) as (_, found):
        assert (found.survives, {host.fit for host in found.hosts}) == (None, {Fit.UNKNOWN})
        assert found.reason


def test_a_cell_that_does_not_answer_is_unknown(postgres: Postgres, stage: Stage) -> None:
    world = two(6, happenings=[{"at": 0.1, "cell_stops_answering": "cell2"}])
    world["hosts"]["compute2"]["cell"] = "cell2"
    with asked(world, postgres, stage) as (_, found):
        assert (found.survives, states(found)["compute2"].fit) == (None, Fit.UNKNOWN)


def test_a_host_that_cannot_be_fenced_is_named_and_no_power_is_cut(postgres: Postgres, stage: Stage) -> None:
    world = two(6, bmcs={"compute1": [{}], "compute2": [{"refuses": True}]})
    world["segments"]["one"]["policy"] = {"fence": "required"}
    with asked(world, postgres, stage) as (play, found):
        assert states(found)["compute1"].fence_troubles == ()
        assert len(states(found)["compute2"].fence_troubles) == 1
        assert play.simulation.fences.requests == []


@pytest.mark.parametrize(
    ("count", "device", "cost"), [(3, False, COST), (30, False, COST), (3, True, COST + 2), (30, True, COST + 2)]
)
def test_what_it_costs_depends_on_the_providers_and_not_on_their_instances(
    count: int, device: bool, cost: int, postgres: Postgres, stage: Stage
) -> None:
    """Five lists of the cloud and a token, four questions for each of two hosts, and one for a card of each."""
    world = two(2 * count)
    for number, host in enumerate(world["hosts"].values()):
        host["instances"] = [{"count": count, "prefix": f"vm{number}", "device": device}]
    with TemporaryDirectory() as own:
        play = Play(Scenario(HERE / "nowhere", world, {}), stage, postgres, Path(own))
        counted: list[int] = []

        def ask() -> None:
            before = play.simulation.cloud.requests.total()
            readiness(play.simulation.world.for_invocation())
            counted.append(play.simulation.cloud.requests.total() - before)

        begin = play.simulation.scheduler.begin

        def begun() -> None:
            begin()
            play.simulation.scheduler.spawn("readiness", ask, 0.5)

        play.simulation.scheduler.begin = begun  # type: ignore[method-assign]
        play.run()
    assert counted == [cost]
