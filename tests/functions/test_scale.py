"""What the API asks of Postgres does not grow with what is stored there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from bench import crowd, history
from tests.functions.conftest import Installation

PATH = "/v1/notifications"


@contextmanager
def stored(installation: Installation, notifications: int, tasks: int) -> Iterator[str]:
    """Have so many old notifications, and a recovery with so many tasks; gives its uuid."""
    with installation.database.begin() as connection:
        uuid = crowd.add(connection, 3, 1, 0)
        history.add(connection, notifications, 3)
        history.add_tasks(connection, uuid, tasks)
    yield uuid
    with installation.database.begin() as connection:
        history.remove(connection)
        crowd.remove(connection)


def statements(installation: Installation, method: str, path: str, body: Any = None) -> int:
    """Count the statements of a request; the least of three, since counts for metrics are written in between."""
    database, found = installation.world("api-notifications").database, []
    for _ in range(3):
        before = database.statements
        answer = installation.call(method, path, body() if body else None)
        assert answer.status_code < 300, answer.text
        found.append(database.statements - before)
    return min(found)


def died() -> dict[str, Any]:
    """Report an instance of which nobody has heard yet."""
    payload = {"instance_uuid": str(uuid4()), "event": "LIFECYCLE", "vir_domain_event": "STOPPED_FAILED"}
    about = {"type": "VM", "hostname": "crowd-compute-1", "generated_time": "2026-11-28T10:00:00", "payload": payload}
    return {"notification": about}


def counted(installation: Installation, notifications: int, tasks: int) -> dict[str, int]:
    """Count the statements of each kind of request beside so much."""
    with stored(installation, notifications, tasks) as uuid:
        return {
            "report": statements(installation, "POST", PATH, died),
            "show": statements(installation, "GET", f"{PATH}/{uuid}"),
            "first page": statements(installation, "GET", f"{PATH}?limit=1000"),
            "middle page": statements(installation, "GET", f"{PATH}?limit=1000&marker=history-{notifications // 2}"),
        }


def test_a_request_takes_the_same_number_of_statements_however_much_is_stored(installation: Installation) -> None:
    # One of a report's is for events for others.
    few, many = counted(installation, 10, 2), counted(installation, 3000, 60)
    assert many == few
    assert few == {"report": 4, "show": 2, "first page": 1, "middle page": 2}
