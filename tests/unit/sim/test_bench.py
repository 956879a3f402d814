"""What the bench counts in virtual time is promised, so it is tested, too."""

import pytest
from instance_ha_simulator.databases import Databases

from bench import outage, scale, statements


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


def test_the_first_evacuation_is_asked_for_within_two_seconds_of_the_proof() -> None:
    rows, _ = outage.measure(instances=2, deaths=(100.0,))
    seconds = [row.measured.median for row in rows if row.what.startswith("proof to")]
    assert len(seconds) == 2
    assert max(seconds) <= 2


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
        ("relay", 100, 300, 4 / 50),
        ("readiness", 20, 60, 2 / 20),
    ],
)
def test_the_number_of_statements_grows_no_faster_than_what_there_is(
    name: str, few: int, many: int, each: float, databases: Databases
) -> None:
    with databases.fresh() as one, databases.fresh() as other:
        more = scale.measured(name, many, other).statements - scale.measured(name, few, one).statements
    assert more <= each * (many - few) + 1
