"""The events of each kind of failure: every start has its end, and the last event is what holds."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario
from sqlalchemy import text

HERE = Path(__file__).parent
FOLDERS = [
    "abort-when-all-fail",
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
def test_every_start_has_its_end_and_the_last_event_is_what_holds(
    name: str, postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    played = _play(name, postgres, stage, tmp_path)
    events = _by_subject(played.tables.outbox("one"))
    for uuid in played.names_of_notifications():
        types = [kind.removeprefix("notification.") for kind, _ in events[uuid] if ".process." in kind]
        last = "process.end" if played.tables.notification(uuid)["status"] in GOOD else "process.error"
        assert types[0::2] == ["process.start"] * (len(types) // 2)
        assert set(types[1::2]) <= {"process.end", "process.error"}
        assert types[-1] == last
    for move in played.tables.vmoves():
        begun = ["vmove.start"] if move["start_time"] else []
        ended = "vmove.error" if move["status"] == "failed" else "vmove.end"
        assert [kind for kind, _ in events[move["uuid"]]] == [*begun, ended]
    for host in _hosts(played):
        states = [about for kind, about in events[host["uuid"]] if kind == "host.update.end"]
        for field in ("on_maintenance", "reserved"):
            assert not states or states[-1][field] == host[field]


@pytest.mark.parametrize(
    ("name", "instance", "expected"),
    [
        ("moved-instance-breaks-before-the-end", "vm-1", ["vmove.start", "vmove.end", "vmove.error"]),
        ("forced-down-host-is-back-when-a-start-is-late", "vm-2", ["vmove.start", "vmove.end"]),
    ],
)
def test_what_is_found_wrong_at_the_end_of_the_recovery_is_one_event_more_and_the_last_one_holds(
    name: str, instance: str, expected: list[str], postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    played = _play(name, postgres, stage, tmp_path)
    first = next(move for move in played.tables.vmoves() if move["instance_name"] == instance)
    events = _by_subject(played.tables.outbox("one"))[first["uuid"]]
    assert [kind for kind, _ in events] == expected
    assert events[-1][1]["status"] == first["status"]


def _play(name: str, postgres: Postgres, stage: Stage, folder: Path) -> Play:
    """Play a scenario with a sink."""
    scenario = Scenario.read(HERE / name)
    scenario.world["settings"] = scenario.world.get("settings", {}) | {"event_sinks": "one=http://one.test"}
    played = Play(scenario, stage, postgres, folder)
    played.run()
    return played


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("all-hosts-look-dead", "host reports suppressed"),
        ("consul-token-expired", "host source not available"),
        ("consul-answers-empty", "host source not available"),
    ],
)
def test_that_the_monitor_is_degraded_is_an_event(
    name: str, reason: str, postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    played = _play(name, postgres, stage, tmp_path)
    reasons = [about["reason"] for kind, about in _by_subject(played.tables.outbox("one"))["hosts"]]
    logged = ("host reports suppressed", "host source not available", "host polls interrupted")
    assert len(reasons) == sum(any(what in line for what in logged) for line in played.lines)
    assert reasons[0].startswith(reason)


def _hosts(played: Play) -> list[dict[str, Any]]:
    with played.simulation.world.database.begin() as connection:
        return [dict(row) for row in connection.execute(text("SELECT * FROM hosts")).mappings()]


def _by_subject(rows: list[dict[str, Any]]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    events: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for row in rows:
        payload = json.loads(row["body"])["payload"]["masakari_object.data"]
        events[row["subject"]].append((row["event_type"], payload))
    return events
