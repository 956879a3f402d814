"""What the platform does wrong: broker, scheduler, machines and Postgres."""

from random import Random

from instance_ha.models.breakpoints import Breakpoint

from instance_ha_simulator.explorer.troubles.base import Data, happens, moment

_ELSEWHERE = ("poll", "host-reported", "guest", "event", "batch", "custom", "remote")
_RECOVERY = [point for point in Breakpoint if not point.startswith(_ELSEWHERE)]


def events_go_wrong(random: Random, world: Data, faults: Data) -> None:
    """An event is lost, doubled or late; that all are written anew, and overtake each other, is usual."""
    fault: Data = {"do": random.choice(("lose", "double", "delay")), "nth": random.randint(1, 4)}
    fault["function"] = random.choice(("recover-host", "recover-instance"))
    fault |= {"seconds": random.choice((0.02, 1.0, 5.0, 40.0, 70.0))} if fault["do"] != "lose" else {}
    faults.setdefault("events", []).append(fault)


def invocation_is_killed(random: Random, world: Data, faults: Data) -> None:
    """An invocation is killed between two steps."""
    faults.setdefault("kill", []).append({"breakpoint": str(random.choice(_RECOVERY)), "nth": random.randint(1, 3)})


def invocation_freezes(random: Random, world: Data, faults: Data) -> None:
    """An invocation stands still, past its lease perhaps, and goes on."""
    fault = {"breakpoint": str(random.choice(_RECOVERY)), "nth": random.randint(1, 3)}
    faults.setdefault("freeze", []).append(fault | {"seconds": random.choice((10.0, 50.0, 100.0, 200.0))})


def transaction_breaks(random: Random, world: Data, faults: Data) -> None:
    """The connection or the invocation breaks before a COMMIT, or after it."""
    fault = {"nth": random.randint(2, 60), "do": random.choice(("cut", "cut_in_commit", "kill", "kill_after"))}
    faults.setdefault("database", []).append(fault)


def postgres_is_away(random: Random, world: Data, faults: Data) -> None:
    """Postgres does not answer for a while: it restarts, or takes no writes."""
    happens(world, moment(random, world), "postgres_away", random.choice((1.0, 10.0, 60.0)))


def postgres_fails_over(random: Random, world: Data, faults: Data) -> None:
    """Postgres fails over to a standby that has not got the commits of the last second."""
    if any("standby_falls_behind" in happening for happening in world["happenings"]):
        return
    at = moment(random, world)
    happens(world, at, "standby_falls_behind", True)
    happens(world, at + random.choice((0.01, 0.1, 1.0)), "standby_is_promoted", random.choice((0.0, 1.0, 10.0)))


def clock_is_wrong(random: Random, world: Data, faults: Data) -> None:
    """A machine's clock is ahead, or behind."""
    fault: Data = {"function": random.choice(("recover-host", "recover-instance", "sweep"))}
    fault |= {"nth": random.randint(1, 3)} if random.random() < 0.5 else {}
    faults.setdefault("clocks", []).append(fault | {"ahead": random.choice((-300.0, -30.0, 30.0, 120.0, 600.0))})


def tick_is_wrong(random: Random, world: Data, faults: Data) -> None:
    """A tick is missing, late, or there twice."""
    fault = {"function": "sweep", "nth": random.randint(1, 5), "do": random.choice(("miss", "late", "twice"))}
    faults.setdefault("ticks", []).append(fault)


def tick_too_much(random: Random, world: Data, faults: Data) -> None:
    """A tick comes early."""
    happens(world, moment(random, world), "tick", "sweep")
