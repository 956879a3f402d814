"""What the bench counts in virtual time is promised, so it is tested, too."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from instance_ha_simulator.databases import Databases

from bench import hosts, outage, plays, scale, statements
from bench.figures import Row, Samples
from bench.results import keep


def test_evidence_and_gates_ask_nothing_for_an_instance() -> None:
    rows, _ = statements.measure(few=2, many=6)
    each = {row.what: row.measured.median for row in rows if row.what.endswith("evidence and gates add an instance")}
    assert each == dict.fromkeys(
        (
            "SQL statements that evidence and gates add an instance",
            "requests to Nova that evidence and gates add an instance",
        ),
        0,
    )


def test_while_nova_is_asked_every_few_seconds_rows_are_read_each_ten_alone() -> None:
    with plays.theatre() as theatre:
        short, long = (statements.recover(theatre, 1, seconds).counts.statements for seconds in (20, 80))
    more = (long - short)["recover-host", "store/vmoves:read < store/rounds:in_work"]
    assert 0 < more <= (80 - 20) / 10


def test_the_first_evacuation_is_asked_for_within_two_seconds_of_the_proof() -> None:
    rows, _ = outage.measure(instances=2, deaths=(100.0,))
    seconds = [row.measured.median for row in rows if row.what.startswith("proof to")]
    assert len(seconds) == 2
    assert max(seconds) <= 2


def test_an_instance_of_many_hosts_that_die_together_costs_no_more_statements_than_of_two() -> None:
    rows, _ = hosts.measure(hosts=4, instances=30)
    assert {row.against: row.met for row in rows}["two hosts"]


@pytest.mark.parametrize(("name", "few", "many"), [("monitor-poll", 20, 200), ("sweep", 10_000, 30_000)])
def test_what_the_scheduler_starts_takes_the_same_number_of_statements_however_much_there_is(
    name: str, few: int, many: int, databases: Databases
) -> None:
    with databases.fresh() as one, databases.fresh() as other:
        assert scale.measured(name, few, one).statements == scale.measured(name, many, other).statements


@pytest.mark.parametrize(
    ("name", "few", "many", "each"),
    [
        ("monitor-guests", 5, 15, 5.5),
        ("purge", 1000, 3000, 8 / 500),
        ("relay", 100, 300, 5 / 50),
        ("readiness", 20, 60, 2 / 20),
    ],
)
def test_the_number_of_statements_grows_no_faster_than_what_there_is(
    name: str, few: int, many: int, each: float, databases: Databases
) -> None:
    with databases.fresh() as one, databases.fresh() as other:
        more = scale.measured(name, many, other).statements - scale.measured(name, few, one).statements
    assert more <= each * (many - few) + 1


def test_what_was_measured_is_kept_beside_older_figures_of_other_things(tmp_path: Path) -> None:
    file, now = tmp_path / "results.json", datetime(2026, 11, 28, tzinfo=UTC)
    bound = Samples((2.0, 2.0), "s")
    keep(
        [Row("one", Samples((3.0, 5.0), "s"), "bound", bound, 1.5), Row("other", Samples((1,), "MB"))], "old", now, file
    )
    keep([Row("one", Samples((2.0, 3.0), "s"), "bound", bound, 1.5)], "new", now + timedelta(days=1), file)
    kept = json.loads(file.read_text())
    assert {what: figure["machine"] for what, figure in kept.items()} == {"one": "new", "other": "old"}
    assert kept["one"] == {
        "measured_at": "2026-11-29T00:00:00+00:00",
        "machine": "new",
        "median": 2.5,
        "values": [2.0, 3.0],
        "unit": "s",
        "beside": {"what": "bound", "median": 2.0, "values": [2.0, 2.0], "unit": "s"},
        "ratio": 1.25,
        "aim": 1.5,
        "aim_is_ratio": True,
        "met": True,
    }
