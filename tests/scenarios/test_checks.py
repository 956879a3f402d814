"""What is checked at the end of each scenario is seen when it does not hold."""

from pathlib import Path
from typing import Any

import pytest
from instance_ha_simulator.checks import broken
from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import NotOverError, Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("vm-in-paused", {"at_the_end": {"locked": ["vm"]}}, "at the end, locked: [], expected ['vm']"),
        ("retry-after-one-failed", {"asked_again": 0}, "vm-3 was evacuated 2 times, at most 1 are expected"),
        ("expired-while-running", {"stay": ["vm-1"]}, "vm-2 was forgotten on compute1"),
        (
            "storage-network-down-others-up",
            {"fenced": []},
            "vm-2 was evacuated although its host compute1 lives",
        ),
    ],
)
def test_a_promise_that_is_not_kept_is_named(
    name: str, change: dict[str, Any], expected: str, postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    scenario = Scenario.read(HERE / name)
    scenario.world.update(change)
    played = Play(scenario, stage, postgres, tmp_path)
    played.run()
    assert expected in broken(played)


def test_an_instance_that_is_left_locked_and_an_evacuation_that_has_not_ended_are_named(
    postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    played = Play(Scenario.read(HERE / "vm-in-paused"), stage, postgres, tmp_path)
    played.run()
    with played.simulation.cloud.world() as world:
        (server,) = world.servers.values()
        server.locked_by, server.locked_reason = "admin", "masakari: evacuation"
    with played.simulation.world.database.begin() as connection:
        connection.exec_driver_sql("UPDATE vmoves SET status = 'ongoing'")
    assert broken(played) == [
        "vm is left locked by a recovery",
        "the evacuation of vm has not ended: ongoing",
        "at the end, locked: ['vm'], expected []",
    ]


def test_a_play_that_does_not_end_names_the_last_error(postgres: Postgres, stage: Stage, tmp_path: Path) -> None:
    def raises(line: Any) -> None:
        if line["event"] == "instances chosen":
            raise ValueError("no such column")

    played = Play(Scenario.read(HERE / "vm-in-paused"), stage, postgres, tmp_path)
    played.watchers.append(raises)
    with pytest.raises(NotOverError, match="the last error: ValueError: no such column"):
        played.run()
