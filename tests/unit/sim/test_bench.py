"""What the bench counts in virtual time is promised, so it is tested, too."""

from bench import outage, statements


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
