"""Each check of the way back fails when its promise is broken: shown with a history that is changed by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from instance_ha_simulator.cloud.world import World
from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.explore import explore
from instance_ha_simulator.explorer.play import Exploration
from sqlalchemy import text

WORLD: dict[str, Any] = {
    "settings": {"verify_interval": 10, "sweep_interval": 50, "notifications_expired_interval": 300},
    "cloud": {"service_down_time": 20.0},
    "hosts": {"failing1": {"instances": [{"names": ["vm-1"]}]}, "other1": None},
    "segments": {"one": {"hosts": ["failing1", "other1"]}},
    "happenings": [
        {"at": 5.0, "kill_host": "failing1"},
        {"at": 10.0, "notify": "failing1"},
        {"at": 60.0, "start_host": "failing1"},
        {"at": 90.0, "return_host": {"host": "failing1", "move_home": True}},
    ],
}
Change = Callable[[Exploration, World], None]


def play(stage: Stage, folder: Path, change: Change | None = None) -> str:
    """Play the world, change what has happened once the return is closed, and return what is broken."""

    def hear(played: Exploration, line: Any) -> None:
        if line["event"] == "return closed" and change is not None:
            with played.simulation.cloud.world() as cloud:
                change(played, cloud)

    return "\n".join(explore(stage, WORLD, {}, folder, hear).broken)


def write(statement: str) -> Change:
    def change(played: Exploration, _: World) -> None:
        with played.simulation.database.begin() as connection:
            connection.execute(text(statement))

    return change


def forced_down(_: Exploration, cloud: World) -> None:
    cloud.hosts["failing1"].forced_down = True


def disabled(_: Exploration, cloud: World) -> None:
    host = cloud.hosts["failing1"]
    host.enabled, host.disabled_reason = False, "for a reason"


def never_there(_: Exploration, cloud: World) -> None:
    cloud.history.runs = [run for run in cloud.history.runs if run.host != "failing1"]


def test_a_good_way_back_breaks_none(stage: Stage, tmp_path: Path) -> None:
    assert play(stage, tmp_path) == ""


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (write("UPDATE returns SET status = 'running'"), "the return of failing1 is running still"),
        (write("UPDATE returns SET status = 'waiting', message = NULL"), "the return of failing1 is waiting still"),
        (
            write("UPDATE returns SET status = 'waiting', message = NULL, actor = NULL"),
            "the return of failing1 waits, and does not say for what",
        ),
        (write("UPDATE hosts SET on_maintenance = true"), "failing1 has returned, and is on maintenance"),
        (forced_down, "failing1 has returned, and is forced down"),
        (disabled, "failing1 has returned, and is disabled: for a reason"),
        (never_there, "vm-1 is said to have gone home to failing1, and never ran there"),
    ],
)
def test_a_broken_promise_of_the_way_back_is_found(change: Change, found: str, stage: Stage, tmp_path: Path) -> None:
    assert found in play(stage, tmp_path, change)
