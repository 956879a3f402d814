"""Many hosts that die at once, beside two, in virtual time: no recovery waits for another, and none costs more."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import structlog
from instance_ha_simulator.play import Play
from sqlalchemy import Engine, event

from bench import plays, recovery
from bench.figures import Row, Samples

FEW, MANY, INSTANCES = 2, 10, 100
SHORTEST, LONGEST = 1.0, 3.0  # seconds that an evacuation takes; any in between, so that they do not end in step
AIM, AIM_STATEMENTS = 1.1, 1.05
_NO_GATES = {  # which would hold so many failures at once
    "storm_segment_number": 0,
    "storm_cloud_number": 0,
    "peers_down_number": 0,
    "recovery_rate": 0,
}


@dataclass(frozen=True)
class Run:
    """What the recoveries of some hosts took."""

    seconds: float  # from the first request to evacuate until the last instance was active
    bound: float  # what it takes when each slot is taken again as soon as it is free
    statements: float  # an instance


def measure(hosts: int = MANY, instances: int = INSTANCES) -> tuple[list[Row], str]:
    """Recover hosts at once, and two."""
    with plays.theatre() as theatre:
        few, together = (_run(theatre, count, instances) for count in (FEW, hosts))
    what = f"{hosts} hosts of {instances} instances at once"
    bound = Samples((together.bound,), "s", 1)
    rows = [
        Row(f"{what}: first request to the last active", Samples((together.seconds,), "s", 1), "bound", bound, AIM),
        Row(
            f"{what}: SQL statements an instance",
            Samples((together.statements,), "", 2),
            "two hosts",
            Samples((few.statements,), "", 2),
            AIM_STATEMENTS,
        ),
    ]
    return rows, ""


def _run(theatre: plays.Theatre, hosts: int, instances: int) -> Run:
    dead = [f"dead{number}" for number in range(1, hosts + 1)]
    counted = [0]

    def count(play: Play) -> None:
        with _counted(counted):
            play.run()

    random = Random(hosts)
    lasts = {name: [random.uniform(SHORTEST, LONGEST) for _ in range(instances)] for name in dead}
    courses = [
        {"instance": f"{name}-{number}", "seconds": seconds}
        for name in dead
        for number, seconds in enumerate(lasts[name], 1)
    ]
    play, _ = theatre.play(f"hosts_{hosts}", _world(dead, instances), count, {"evacuations": courses})
    cloud = play.simulation.cloud
    moved = [one.updated_at for one in cloud.migrations() if one.updated_at is not None]
    if len(moved) != hosts * instances:
        raise recovery.NotRecovered(f"{len(moved)} of {hosts * instances} have moved")
    first = min(one.time for one in cloud.evacuation_requests)
    bound = max(map(_best, lasts.values()))
    return Run((max(moved) - first).total_seconds(), bound, counted[0] / len(moved))


def _best(lasts: Sequence[float]) -> float:
    """Say how long Nova takes for evacuations that last so long, one after the other in each slot."""
    ends = [0.0] * recovery.IN_FLIGHT
    for seconds in lasts:
        heapq.heappushpop(ends, ends[0] + seconds + recovery.REQUESTS_EACH * recovery.LATENCY)
    return max(ends)


def _world(dead: list[str], instances: int) -> plays.World:
    others = [f"other{number}" for number in range(1, 5)]
    return {
        "boot_at_once": True,
        "hosts": {name: {"instances": [{"count": instances, "prefix": name}]} for name in dead} | dict.fromkeys(others),
        "segments": {"one": {"hosts": [*dead, *others]}},
        "happenings": [
            *({"at": 1.0, "kill_host": name} for name in dead),
            *({"at": 2.0, "notify": name} for name in dead),
        ],
        "settings": {
            "force_down": True,
            "host_failure_recovery_threads": recovery.IN_FLIGHT,
            "segment_evacuations": recovery.IN_FLIGHT * len(dead),
            **_NO_GATES,
        },
        "cloud": {
            "latency": recovery.LATENCY,
            "max_limit": 1000,
        },
    }


@contextmanager
def _counted(found: list[int]) -> Iterator[None]:
    """Count the statements of functions inside."""

    def statement(*_: object) -> None:
        found[0] += structlog.contextvars.get_contextvars().get("function") is not None

    event.listen(Engine, "before_cursor_execute", statement)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", statement)
