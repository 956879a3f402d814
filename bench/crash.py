"""How long nothing happens after all functions were killed at once, in virtual time: the same on every machine."""

from collections import Counter

from instance_ha.models.breakpoints import Breakpoint
from instance_ha_simulator.play import Play

from bench import plays
from bench.figures import Row, Samples

AIM = 20.0  # seconds
INSTANCES = 20
CRASHES = (Breakpoint.RECOVERY_STARTED, Breakpoint.ROUND_ADVANCED, Breakpoint.VMOVE_CLAIMED)


class NotKilled(Exception):
    """The recovery never came to where it was to be killed."""


def measure(instances: int = INSTANCES) -> tuple[list[Row], str]:
    """Kill everything at several steps of a recovery."""
    with plays.theatre() as theatre:
        idle = tuple(_idle(theatre, at, instances) for at in CRASHES)
    what = "work goes on after a crash of everything"
    return [Row(what, Samples((max(idle),), "s", 1), aim=AIM, aim_is_ratio=False)], ""


class _Reached(Counter[str]):
    """Counts the breakpoints that are reached, and remembers when, in seconds since the start."""

    def __init__(self, play: Play) -> None:
        super().__init__()
        self._scheduler = play.simulation.scheduler
        self.times: list[float] = []

    def __setitem__(self, name: str, count: int) -> None:
        self.times.append(self._scheduler.elapsed)
        super().__setitem__(name, count)


def _idle(theatre: plays.Theatre, at: Breakpoint, instances: int) -> float:
    """Return the seconds from the crash until the recovery comes to its next breakpoint."""
    happenings = [{"at": 1.0, "kill_host": plays.DEAD}, {"at": 2.0, "notify": plays.DEAD}]
    crashed: list[float] = []

    def watched(play: Play) -> None:
        simulation = play.simulation
        simulation.faults.kill.append({"breakpoint": at, "everything": True})
        simulation.reached = reached = _Reached(play)
        simulation.on_crash = lambda: crashed.append(simulation.scheduler.elapsed)
        play.run()
        if not crashed:
            raise NotKilled(at)
        crashed.append(min(time for time in reached.times if time > crashed[0]))

    world = plays.world(instances, happenings, settings={"force_down": True})
    theatre.play(f"crash_{at.replace('-', '_').lower()}", world, watched)
    return crashed[1] - crashed[0]
