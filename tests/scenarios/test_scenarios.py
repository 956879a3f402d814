"""Each folder here is a failure; see README.md of this folder for how to read and write one."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Postgres
from tests.simulator.scenario import Play, Scenario

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/world.yaml"))


def play(folder: Path, postgres: Postgres, database_url: str, monkeypatch: Any, **faults: Any) -> Play:
    """Play a folder to its end."""
    scenario = Scenario.read(folder)
    for kind, more in faults.items():
        scenario.faults[kind] = [*scenario.faults.get(kind, []), *more]
    played = Play(scenario, database_url, postgres)
    played.run(monkeypatch)
    return played


def check_promises(played: Play) -> None:
    """What holds after every failure, whatever else went wrong."""
    cloud = played.simulation.cloud
    asked = Counter(request.server_id for request in cloud.evacuation_requests)
    allowed = 1 + played.scenario.world.get("asked_again", 0)
    assert all(times <= allowed for times in asked.values()), f"evacuated twice: {asked}"
    ours = cloud.identity.users["masakari"].id
    with cloud.world() as world:
        done = [(server, action) for server, actions in world.instance_actions.items() for action in actions]
    stopped = Counter(server for server, action in done if (action.name, action.user_id) == ("stop", ours))
    assert all(times == 1 for times in stopped.values()), f"stopped twice: {stopped}"
    dead = {h["kill_host"] for h in played.scenario.world["happenings"] if "kill_host" in h}
    stay = set(played.scenario.world.get("stay", []))
    forgotten = [s.name for s in cloud.servers() if s.host in dead and s.name not in stay]
    assert forgotten == []
    assert [s.name for s in cloud.servers() if (s.locked_reason or "").startswith("masakari")] == []
    assert {move["status"] for move in played.vmoves()} <= {"succeeded", "failed", "ignored"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_scenario_gives_its_expected_log(
    folder: Path, postgres: Postgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "database: stop" in (folder / "world.yaml").read_text() and postgres.stop is None:
        pytest.skip("needs a Postgres of its own: TEST_DATABASE_URL names a foreign one")
    played = play(folder, postgres, database_url, monkeypatch)
    check_promises(played)
    expected = folder / "expected.log"
    log = "\n".join(played.lines) + "\n"
    if os.environ.get("WRITE_EXPECTED"):
        expected.write_text(log)
    assert expected.read_text() == log


STEPS = sorted(
    {
        line.strip().split('step("')[1].split('")')[0]
        for path in (HERE.parents[1] / "lib/instance_ha/recovery").rglob("*.py")
        for line in path.read_text().splitlines()
        if 'step("' in line
    }
)

# The scenario in which a step is reached, by how the step's name begins.
KILLED_IN = {
    "vm-": "vm-fails-and-is-started-again",
    "process-": "process-fails",
    "task-": "custom-tasks-run-in-order",
    "expired-": "expired-while-running",
}


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("step", STEPS)
def test_whoever_is_killed_after_a_step_the_recovery_ends(
    step: str, nth: int, postgres: Postgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [name for prefix, name in KILLED_IN.items() if step.startswith(prefix)]
    folder = HERE / (names or ["killed-after-each-step"])[0]
    played = play(folder, postgres, database_url, monkeypatch, kill=[{"step": step, "nth": nth}])
    reached = played.simulation.steps[step]
    assert played.simulation.killed == ([step] if reached >= nth else [])
    assert reached >= 1, f"the scenario never comes to {step}"
    check_promises(played)
    end = "failed" if step.startswith("expired-") else "finished"
    assert {played.show(uuid)["status"] for uuid in played.notifications} == {end}
    assert played.simulation.scheduler.elapsed < 600
