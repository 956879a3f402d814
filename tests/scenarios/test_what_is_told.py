"""What followers are told of each kind of failure: every beginning has its end, and the last word is what holds."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Play, Scenario
from sqlalchemy import text

HERE = Path(__file__).parent
FOLDERS = [
    "abort-when-no-capacity",
    "auto-fails-then-reserved",
    "expired-while-running",
    "instance-deleted-midway",
    "one-evacuation-fails",
    "process-fails",
    "reserved-host-given-back",
    "retry-after-one-failed",
    "segment-disabled-midway",
    "vm-fails-and-is-started-again",
    "vm-recovery-superseded-by-host-recovery",
]
GOOD = {"finished", "ignored"}


@pytest.mark.parametrize("name", FOLDERS)
def test_every_beginning_has_its_end_and_the_last_word_is_what_holds(
    name: str, postgres: Postgres, database_url: str, tmp_path: Path
) -> None:
    played = _play(name, postgres, database_url, tmp_path)
    told = _by_subject(played.outbox("one"))
    for uuid in played.names_of_notifications():
        types = [kind.removeprefix("notification.") for kind, _ in told[uuid] if ".process." in kind]
        last = "process.end" if played.show(uuid)["status"] in GOOD else "process.error"
        assert types[0::2] == ["process.start"] * (len(types) // 2)
        assert set(types[1::2]) <= {"process.end", "process.error"}
        assert types[-1] == last
    for move in played.vmoves():
        begun = ["vmove.start"] if move["start_time"] else []
        ended = "vmove.error" if move["status"] == "failed" else "vmove.end"
        assert [kind for kind, _ in told[move["uuid"]]] == [*begun, ended]
    for host in _hosts(played):
        words = [about for kind, about in told[host["uuid"]] if kind == "host.update.end"]
        for field in ("on_maintenance", "reserved"):
            assert not words or words[-1][field] == host[field]


def _play(name: str, postgres: Postgres, database_url: str, folder: Path) -> Play:
    """Play a scenario with somebody who follows."""
    scenario = Scenario.read(HERE / name)
    scenario.world["settings"] = scenario.world.get("settings", {}) | {"event_sinks": "one=http://one.test"}
    played = Play(scenario, database_url, postgres, folder)
    played.run()
    return played


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("all-hosts-look-dead", "too many hosts look down at once"),
        ("consul-token-expired", "hosts cannot be seen"),
        ("consul-answers-empty", "hosts cannot be seen"),
    ],
)
def test_that_our_own_eyes_are_broken_is_told(
    name: str, reason: str, postgres: Postgres, database_url: str, tmp_path: Path
) -> None:
    played = _play(name, postgres, database_url, tmp_path)
    cries = [about["reason"] for kind, about in _by_subject(played.outbox("one"))["hosts"]]
    assert len(cries) == sum("nothing is reported" in line for line in played.lines)
    assert cries[0].startswith(reason)


def _hosts(played: Play) -> list[dict[str, Any]]:
    with played.simulation.world.database.begin() as connection:
        return [dict(row) for row in connection.execute(text("SELECT * FROM hosts")).mappings()]


def _by_subject(rows: list[dict[str, Any]]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    told: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for row in rows:
        payload = json.loads(row["body"])["payload"]["masakari_object.data"]
        told[row["subject"]].append((row["event_type"], payload))
    return told
