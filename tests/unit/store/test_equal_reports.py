"""Which earlier reports are read to find the one that a new report repeats."""

from datetime import timedelta
from typing import Any

import pytest
from instance_ha.store import notifications

from tests.unit.build import NOW, STOPPED
from tests.unit.store.conftest import Rows

LONG_AGO = NOW - timedelta(days=1)
REPORT = {"source_host_uuid": "host", "type": "COMPUTE_HOST", "payload": STOPPED, "generated_time": NOW}
CLOSED = {**REPORT, "status": "finished", "generated_time": LONG_AGO, "created_at": LONG_AGO}


def found(rows: Rows, **about: Any) -> bool:
    """Whether an earlier report like this is read."""
    made = rows.notification(**{**CLOSED, **about})
    with rows.database.begin() as connection:
        read = notifications.like(connection, REPORT, NOW, 180)
    return [made.notification_uuid] == [one.notification_uuid for one in read]


@pytest.mark.parametrize("status", ["new", "running", "error"])
def test_an_equal_report_is_found_while_it_is_open_however_old_it_is(rows: Rows, status: str) -> None:
    assert found(rows, status=status)


def test_an_equal_report_is_found_that_came_within_the_interval(rows: Rows) -> None:
    assert found(rows, created_at=NOW - timedelta(seconds=180))


@pytest.mark.parametrize("seconds", [-180, 180])
def test_an_equal_report_is_found_that_was_generated_within_the_interval_whenever_it_came(
    rows: Rows, seconds: float
) -> None:
    assert found(rows, generated_time=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"created_at": NOW, "source_host_uuid": "other"},
        {"created_at": NOW, "type": "PROCESS"},
        {"created_at": NOW, "payload": STOPPED | {"event": "STARTED"}},
    ],
    ids=["long ago", "of another host", "of another type", "says something else"],
)
def test_no_other_report_is_found(rows: Rows, about: dict[str, Any]) -> None:
    assert not found(rows, **about)
