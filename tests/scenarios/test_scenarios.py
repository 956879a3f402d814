"""Each folder here is a failure; see README.md of this folder for how to read and write one."""

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from instance_ha.models.breakpoints import Breakpoint
from instance_ha_simulator.checks import broken
from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

from tests.scenarios.stages import stage_for

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/world.yaml"))


def play(folder: Path, postgres: Postgres, database: str | Stage, later: float = 0.0, **faults: Any) -> Play:
    """Play a folder to its end, so many seconds ``later`` than it says."""
    scenario = Scenario.read(folder)
    for happening in scenario.world["happenings"]:
        happening["at"] += later
    for kind, more in faults.items():
        scenario.faults[kind] = [*scenario.faults.get(kind, []), *more]
    with TemporaryDirectory() as own:
        played = Play(scenario, database, postgres, Path(own))
        played.run()
    return played


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_scenario_gives_its_expected_log(folder: Path, postgres: Postgres, stage: Stage) -> None:
    with stage_for(folder, postgres, stage) as (server, database):
        check(folder, play(folder, server, database))


def check(folder: Path, played: Play) -> None:
    """Compare what was logged with what must be, and what has happened with what may."""
    assert broken(played) == []
    expected = folder / "expected.log"
    log = "\n".join(played.lines) + "\n"
    if os.environ.get("WRITE_EXPECTED"):
        expected.write_text(log)
    assert expected.read_text() == log


def test_a_plain_recovery_asks_nova_at_most_four_times_an_instance(postgres: Postgres, stage: Stage) -> None:
    played = play(HERE / "2500-servers-on-one-host", postgres, stage)
    asked = sum(times for (_, route), times in played.simulation.cloud.requests.items() if "/compute/" in route)
    assert asked / len(played.tables.vmoves()) <= 4


def breakpoints(package: str) -> list[Breakpoint]:
    """Find the breakpoints in the code of a package."""
    files = (HERE.parents[1] / "lib/instance_ha" / package).rglob("*.py")
    text = "".join(path.read_text() for path in files)
    return sorted({Breakpoint[name] for name in re.findall(r"Breakpoint\.([A-Z_]+)", text)})


# Where breakpoints are reached, by the begin of their names.
KILLED_IN = {
    "recovery-skipped": "segment-disabled-midway",
    "recovery-held": "cell-does-not-answer-while-listing",
    "shut-off": "host-resets-before-nova-missed-it",
    "host-given-back": "host-stays-up-is-waited-for-once",
    "reserved-host": "reserved-host-given-back",
    "aggregate": "reserved-host-given-back",
    "next-flow": "auto-fails-then-reserved",
    "failed-instance": "vm-fails-and-is-started-again",
    "reset-undone": "reset-is-carried-out-late",
    "remote-task": "task-is-a-url",
    "custom-task": "custom-task-works",
    "fence": "fence-fails-then-next-rung",
    "host-fenced": "fence-fails-then-next-rung",
    "return-reserved": "reserved-host-goes-back-to-reserve",
    "return-": "host-returns",
    "": "killed-after-each-step",
}


def _scenario_with(at: Breakpoint) -> Path:
    """Name a folder whose story comes to a breakpoint."""
    return HERE / next(name for begin, name in KILLED_IN.items() if at.startswith(begin))


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("at", breakpoints("recovery"))
def test_an_invocation_may_be_killed_at_any_breakpoint_and_the_recovery_ends(
    at: Breakpoint, nth: int, postgres: Postgres, stage: Stage
) -> None:
    played = play(_scenario_with(at), postgres, stage, kill=[{"breakpoint": at, "nth": nth}])
    reached = played.simulation.reached[at]
    assert played.simulation.killed == ([at] if reached >= nth else [])
    assert reached >= 1, f"the scenario never comes to {at}"
    assert broken(played) == []
    status = "ignored" if at in {Breakpoint.HOST_GIVEN_BACK, Breakpoint.RECOVERY_SKIPPED} else "finished"
    assert [played.tables.notification(uuid)["status"] for uuid in played.callers.notifications] == [status]
    assert played.simulation.scheduler.elapsed < 600


# A third-party task keeps its lease for as long as it may take.
CRASHES = [(at, False) for at in breakpoints("recovery") if at is not Breakpoint.CUSTOM_TASK_STARTED]
# Leases end right after sweep's last check in a minute.
CRASHES += [(at, True) for at in (Breakpoint.RECOVERY_STARTED, Breakpoint.ROUND_ADVANCED, Breakpoint.VMOVE_CLAIMED)]


@pytest.mark.parametrize(("at", "sweep_survives"), CRASHES)
def test_after_a_crash_of_everything_all_work_goes_on_within_20_seconds(
    at: Breakpoint, sweep_survives: bool, postgres: Postgres, stage: Stage
) -> None:
    kill = {"breakpoint": at, "everything": True, "but": ["sweep"] if sweep_survives else []}
    later = 32.5 if sweep_survives else 0.0
    played = play(_scenario_with(at), postgres, stage, kill=[kill], later=later)
    assert played.simulation.killed == [at]
    at_rest = {Breakpoint.RECOVERY_CLOSED, Breakpoint.RECOVERY_FAILED, Breakpoint.RECOVERY_HELD}
    at_rest |= {Breakpoint.RETURN_CLOSED}
    assert played.watched or at in at_rest  # nothing is in work then
    assert played.simulation.settings.idle_after_crash + 2.0 <= 20
    assert played.left_idle == []
    assert broken(played) == []


@pytest.mark.parametrize("at", breakpoints("monitoring"))
def test_a_monitor_may_be_killed_at_any_breakpoint_and_the_failure_is_reported_once(
    at: Breakpoint, postgres: Postgres, stage: Stage
) -> None:
    guests = "guest" in at
    folder = HERE / ("guest-hangs-recovers-hangs-again" if guests else "host-down-at-first-poll")
    nth = 3 if at in {Breakpoint.GUESTS_CLAIMED, Breakpoint.GUESTS_STORED} else 1  # in the middle of the story
    played = play(folder, postgres, stage, kill=[{"breakpoint": at, "nth": nth}])
    assert played.simulation.killed == [at]
    assert broken(played) == []
    reported = [line for line in played.lines if "failure reported" in line]
    assert len(reported) == (2 if guests else 1)


def test_every_breakpoint_is_in_the_code() -> None:
    assert breakpoints(".") == sorted(Breakpoint)
