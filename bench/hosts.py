"""Many hosts that die at once, beside one, in virtual time: no recovery waits for another, and none costs more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from instance_ha_simulator.play import Play
from sqlalchemy import Engine, event

from bench import plays, recovery
from bench.figures import Row, Samples

MANY, INSTANCES = 10, 100
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
    statements: float  # an instance


def measure(hosts: int = MANY, instances: int = INSTANCES) -> tuple[list[Row], str]:
    """Recover hosts at once, and one alone."""
    with plays.theatre() as theatre:
        alone, together = (_run(theatre, count, instances) for count in (1, hosts))
    what = f"{hosts} hosts of {instances} instances at once"
    bound = Samples((recovery.best(instances),), "s", 1)
    one = Samples((alone.statements,), "", 2)
    rows = [
        Row(f"{what}: first request to the last active", Samples((together.seconds,), "s", 1), "bound", bound, AIM),
        Row(
            f"{what}: SQL statements an instance",
            Samples((together.statements,), "", 2),
            "one host",
            one,
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

    play, _ = theatre.play(f"hosts_{hosts}", _world(dead, instances), count)
    cloud = play.simulation.cloud
    moved = [one.updated_at for one in cloud.migrations() if one.updated_at is not None]
    if len(moved) != hosts * instances:
        raise recovery.NotRecovered(f"{len(moved)} of {hosts * instances} have moved")
    first = min(one.time for one in cloud.evacuation_requests)
    return Run((max(moved) - first).total_seconds(), counted[0] / len(moved))


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
            "evacuate_seconds": recovery.EVACUATE_SECONDS,
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
