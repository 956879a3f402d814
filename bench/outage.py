"""How long the instances of a dead host are away, in virtual time: without a fence and with one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from bench import plays, recovery
from bench.figures import Row, Samples, markdown

INSTANCES = 50
DEATHS = (100.0, 102.5, 105.0, 107.5)  # at all times between two reports of nova-compute, which come every 10 s
REPORTED_AFTER = 1.0
POWER_OFF_AFTER = 4.0  # the BMC says 204 at once
CONFIRM = 2.0  # fence_confirm_interval
AIM_AFTER_PROOF = 2.0
AIM, AIM_FIRST = 1.2, 1.3


@dataclass(frozen=True)
class Outage:
    """When what was so, in seconds since the death of the host."""

    called_down: float  # by Nova's own reckoning, if nobody forces it down
    proven: float
    first_request: float
    last_active: float


def measure(instances: int = INSTANCES, deaths: Sequence[float] = DEATHS) -> tuple[list[Row], str]:
    """Let hosts die, with and without a fence."""
    with plays.theatre() as theatre:
        plain = [_run(theatre, death, instances, fenced=False) for death in deaths]
        fenced = [_run(theatre, death, instances, fenced=True) for death in deaths]
    moves = recovery.best(instances)
    down = [one.called_down for one in plain]
    off = [REPORTED_AFTER + POWER_OFF_AFTER + CONFIRM] * len(fenced)
    rows = [
        _row("first evacuate request, not fenced", plain, "first_request", "Nova calls the host down", down),
        _row("first evacuate request, fenced", fenced, "first_request", "its power is off, seen twice", off),
        _row(f"last of {instances} active, not fenced", plain, "last_active", "bound", [one + moves for one in down]),
        _row(f"last of {instances} active, fenced", fenced, "last_active", "bound", [one + moves for one in off]),
        _after_proof("proof to first evacuate request, not fenced", plain),
        _after_proof("proof to first evacuate request, fenced", fenced),
    ]
    return rows, _table({"no": plain, "yes": fenced})


def _row(what: str, runs: Sequence[Outage], name: str, against: str, bound: Sequence[float]) -> Row:
    measured = Samples(tuple(getattr(one, name) for one in runs), "s", 1)
    aim = AIM_FIRST if name == "first_request" else AIM
    return Row(f"host death to {what}", measured, against, Samples(tuple(bound), "s", 1), aim)


def _after_proof(what: str, runs: Sequence[Outage]) -> Row:
    seconds = tuple(one.first_request - one.proven for one in runs)
    return Row(what, Samples(seconds, "s", 2), aim=AIM_AFTER_PROOF, aim_is_ratio=False)


def _run(theatre: plays.Theatre, death: float, instances: int, *, fenced: bool) -> Outage:
    """Let a host die, and everything else go as it does by default."""
    happenings = [
        {"at": death, "kill_host": plays.DEAD},
        {"at": death + REPORTED_AFTER, "notify": plays.DEAD},
    ]
    more = {"policy": {"fence": "required"}, "bmcs": {plays.DEAD: [{"after": POWER_OFF_AFTER}]}} if fenced else {}
    cloud = {"latency": recovery.LATENCY, "evacuate_seconds": recovery.EVACUATE_SECONDS, "max_limit": 1000}
    name = f"outage_{'fenced' if fenced else 'plain'}_{round(death * 10)}"
    play, url = theatre.play(name, plays.world(instances, happenings, cloud=cloud, **more))
    scheduler, nova = play.simulation.scheduler, play.simulation.cloud
    died = scheduler.now() - timedelta(seconds=scheduler.elapsed - death)
    moved = [one.updated_at for one in nova.migrations() if one.updated_at is not None]
    if len(moved) != instances:
        raise recovery.NotRecovered(f"{len(moved)} of {instances} have moved")
    with nova.world() as world:
        last = world.hosts[plays.DEAD].last_report
    assert last is not None
    first = min(one.time for one in nova.evacuation_requests)
    times = (last + timedelta(seconds=nova.options.service_down_time), _proven(url), first, max(moved))
    return Outage(*((at - died).total_seconds() for at in times))


def _proven(url: str) -> datetime:
    """Read when the host was proven dead: it is when the first evidence that suffices was seen."""
    query = """SELECT min(seen_at) FROM evidence WHERE verdict = 'dead' AND kind IN ('power_off', 'service_down')"""
    with psycopg.connect(url) as connection:
        ((found,),) = connection.execute(query).fetchall()
    assert isinstance(found, datetime)
    return found


def _table(outages: dict[str, list[Outage]]) -> str:
    head = ("fenced", "Nova calls it down", "proven", "first request", "last active")
    rows = [
        (
            fenced,
            *(f"{value:.2f}" for value in (run.called_down, run.proven, run.first_request, run.last_active)),
        )
        for fenced, runs in outages.items()
        for run in runs
    ]
    return "Seconds since the death of the host:\n\n" + markdown(head, rows)
