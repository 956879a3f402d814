"""A scenario is played, its rows are turned into another scenario, and that one ends alike."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from instance_ha.models.uuids import NotificationUuid
from instance_ha_simulator.checks import broken
from instance_ha_simulator.database import Stage
from instance_ha_simulator.lasting import clear
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.replay.recording import read
from instance_ha_simulator.replay.story import tell
from instance_ha_simulator.replay.write import write
from instance_ha_simulator.scenario import Scenario
from sqlalchemy import text

HERE = Path(__file__).parent
FOLDERS = [
    "abort-when-all-fail",
    "approve-then-deny",
    "auto-fails-then-reserved",
    "empty-host-dies",
    "host-dies",
    "host-stays-up-is-waited-for-once",
    "instance-deleted-midway",
    "instance-locked-by-user",
    "observe-does-nothing",
    "one-evacuation-fails",
    "pause-expires",
    "priorities-go-first",
    "process-fails",
    "reserved-host-full-next-one-takes-over",
    "reserved-host-given-back",
    "retry-after-one-failed",
    "segment-disabled-midway",
    "storm-held-then-approved",
    "two-hosts-die-at-once",
    "vm-fails-and-is-started-again",
    "vm-in-paused",
    "vm-paused-is-left-alone",
]


def play(scenario: Scenario, postgres: Postgres, stage: Stage) -> Play:
    with TemporaryDirectory() as own:
        played = Play(scenario, stage, postgres, Path(own))
        played.run()
    return played


@pytest.mark.parametrize("name", FOLDERS)
def test_a_replayed_recovery_ends_as_the_original(name: str, postgres: Postgres, stage: Stage, tmp_path: Path) -> None:
    original = play(Scenario.read(HERE / name), postgres, stage)
    with original.simulation.world.database.begin() as connection:
        recording = read(connection, NotificationUuid(original.callers.notifications[0]))
    write(tell(recording, original.simulation.settings), tmp_path / "again")
    clear(stage)
    again = play(Scenario.read(tmp_path / "again"), postgres, stage)

    assert broken(again) == []
    assert statuses(again) == [str(one.notification.status) for one in recording.handled]
    assert ends(again) == Counter((move.status, move.attempt) for one in recording.handled for move in one.vmoves)


def statuses(played: Play) -> list[str]:
    return [played.tables.notification(uuid)["status"] for uuid in played.callers.notifications]


def ends(played: Play) -> Counter[tuple[str, int]]:
    """Count the vmoves of each attempt by their status."""
    with played.simulation.world.database.begin() as connection:
        rows = connection.execute(text("SELECT status, attempt FROM vmoves"))
        return Counter((row.status, row.attempt) for row in rows)
