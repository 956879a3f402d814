"""Which report of a host is the one that its recovery is about."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from instance_ha.models.uuids import HostUuid
from instance_ha.store import host_health, host_recoveries
from sqlalchemy import text

from tests.unit.build import NOW, STOPPED
from tests.unit.store.conftest import Rows

HOST = HostUuid("host")


def current(rows: Rows, host: HostUuid = HOST) -> str | None:
    with rows.database.read() as connection:
        found = host_recoveries.current(connection, host)
    return None if found is None else str(found.notification_uuid)


def change(rows: Rows, uuid: str, values: str) -> None:
    with rows.database.begin() as connection:
        connection.execute(text(f"UPDATE notifications SET {values} WHERE notification_uuid = '{uuid}'"))


@pytest.mark.parametrize(
    "payload", [{"event": "STARTED"}, {"host_status": "UNKNOWN"}, {"host_status": None}, {"event": "odd"}]
)
def test_a_report_that_asks_for_no_recovery_is_none(rows: Rows, payload: dict[str, Any]) -> None:
    rows.notification(payload={name: value for name, value in (STOPPED | payload).items() if value})
    assert current(rows) is None


def test_a_report_in_other_letters_counts_as_it_does_when_it_is_evaluated(rows: Rows) -> None:
    assert current(rows) is None
    made = rows.notification(payload=STOPPED | {"host_status": "normal"})
    assert current(rows) == made.notification_uuid


def test_what_has_begun_comes_before_what_is_held_and_that_before_what_is_new(rows: Rows) -> None:
    new, held, begun = (rows.notification().notification_uuid for _ in range(3))
    assert current(rows) == new
    change(rows, held, "held_since = now()")
    assert current(rows) == held
    change(rows, begun, "attempt = 1, status = 'error'")
    assert current(rows) == begun
    change(rows, begun, "status = 'finished'")
    assert current(rows) == held


def test_monitors_are_told_of_the_same_report(rows: Rows) -> None:
    host = rows.host(rows.segment())
    rows.notification(source_host_uuid=host.uuid, payload=STOPPED | {"event": "STARTED"})
    for _ in range(5):
        rows.notification(source_host_uuid=host.uuid, generated_time=NOW - timedelta(seconds=9))
    with rows.database.read() as connection:
        (known,) = host_health.registered(connection)
    assert known.open_recovery == current(rows, host.uuid)


def test_a_host_is_proven_dead_from_its_last_proof_until_it_is_given_back(rows: Rows) -> None:
    host = rows.host(rows.segment())

    def proven() -> dict[str, datetime]:
        with rows.database.read() as connection:
            return host_recoveries.proven_dead(connection, [host.name, "another"])

    def change_host(values: str) -> None:
        with rows.database.begin() as connection:
            connection.execute(text(f"UPDATE hosts SET {values} WHERE uuid = '{host.uuid}'"))

    made = [rows.notification(source_host_uuid=host.uuid).notification_uuid for _ in range(3)]
    change_host("on_maintenance = true")
    assert proven() == {}
    change(rows, made[0], f"proven_at = '{NOW - timedelta(hours=1)}'")
    change(rows, made[1], f"proven_at = '{NOW}'")
    assert proven() == {host.name: NOW}
    change_host("on_maintenance = false")
    assert proven() == {}
    change_host("deleted_at = now()")
    assert proven() == {host.name: NOW}
