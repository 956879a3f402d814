"""What gates see in Postgres, what they have decided, and that they decide one after the other."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from instance_ha.models.errors import StoreUnavailable
from instance_ha.models.gates import Gate, GateDecision, GateVerdict, Seen
from instance_ha.models.rows import Host, Notification
from instance_ha.store import gates
from sqlalchemy import text

from tests.unit.build import NOW, STOPPED
from tests.unit.store.conftest import Rows

MINUTE = timedelta(seconds=60)


def change(rows: Rows, row: Notification, **values: Any) -> None:
    """Change a notification behind everybody's back."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    with rows.database.begin() as connection:
        statement = text(f"UPDATE notifications SET {columns} WHERE id = :id")
        connection.execute(statement, values | {"id": row.id})


def seen(rows: Rows, host: Host, row: Notification, now: datetime = NOW) -> Seen:
    """See what the gates see."""
    with rows.database.begin() as connection:
        return gates.seen(connection, host, row, MINUTE, 10 * MINUTE, now)


def failed(found: Seen) -> set[tuple[str, bool]]:
    """The hosts that fail, each with whether it is of the same segment."""
    return {(one.name, one.in_segment) for one in found.failed}


def test_a_host_counts_for_a_storm_while_it_is_handled_and_within_the_window(rows: Rows) -> None:
    segment, other = rows.segment(), rows.segment()
    mine, near, far = rows.host(segment, name="mine"), rows.host(segment, name="near"), rows.host(other, name="far")
    row = rows.notification(source_host_uuid=mine.uuid)
    for host in (near, far, near):
        change(rows, rows.notification(source_host_uuid=host.uuid), status="finished")
    assert failed(seen(rows, mine, row, NOW + MINUTE / 2)) == {("mine", True), ("near", True), ("far", False)}
    assert failed(seen(rows, mine, row, NOW + MINUTE)) == {("mine", True)}
    found = seen(rows, mine, row)
    assert (found.segment_hosts, found.cloud_hosts) == (2, 3)


@pytest.mark.parametrize(
    "about",
    [
        {"type": "PROCESS"},
        {"type": "VM", "payload": {"instance_uuid": "i"}},
        {"payload": STOPPED | {"event": "STARTED"}},
        {"payload": STOPPED | {"host_status": "UNKNOWN"}},
    ],
)
def test_what_asks_for_no_recovery_of_a_host_is_part_of_no_storm(rows: Rows, about: dict[str, Any]) -> None:
    host = rows.host(rows.segment())
    row = rows.notification(source_host_uuid=host.uuid, **about)
    assert seen(rows, host, row).failed == ()


def test_the_rate_counts_the_others_that_were_let_pass(rows: Rows) -> None:
    host = rows.host(rows.segment())
    mine, begun, earlier, _held = (rows.notification(source_host_uuid=host.uuid) for _ in range(4))
    for row, ago in ((mine, 1), (begun, 599), (earlier, 601)):
        change(rows, row, admitted_at=NOW - timedelta(seconds=ago))
    assert seen(rows, host, mine).begun == 1


def test_a_host_flaps_by_its_recoveries_that_have_finished_within_a_day(rows: Rows) -> None:
    segment = rows.segment()
    host, other = rows.host(segment), rows.host(segment)
    row = rows.notification(source_host_uuid=host.uuid)
    for status, attempt, of in (
        ("finished", 1, host),
        ("finished", 0, host),
        ("failed", 1, host),
        ("finished", 1, other),
    ):
        change(rows, rows.notification(source_host_uuid=of.uuid), status=status, attempt=attempt)
    assert seen(rows, host, row).finished == 1
    assert seen(rows, host, row, NOW + timedelta(days=1)).finished == 0


def test_hosts_on_maintenance_are_no_peers(rows: Rows) -> None:
    segment = rows.segment()
    host = rows.host(segment)
    rows.host(segment, name="peer")
    rows.host(segment, name="away", on_maintenance=True)
    lonely = rows.host(rows.segment(), name="elsewhere")
    assert seen(rows, host, rows.notification(source_host_uuid=host.uuid)).peers == {"peer"}
    assert seen(rows, lonely, rows.notification(source_host_uuid=lonely.uuid)).peers == frozenset()


def test_the_last_decision_of_each_gate_is_read(rows: Rows) -> None:
    row = rows.notification()
    uuid = row.notification_uuid

    def decision(gate: Gate, verdict: GateVerdict) -> GateDecision:
        return GateDecision(decided_at=NOW, notification_uuid=uuid, attempt=0, gate=gate, verdict=verdict, saw={"n": 1})

    with rows.database.begin() as connection:
        gates.add_decisions(connection, [decision(Gate.RATE, GateVerdict.HELD), decision(Gate.PAUSE, GateVerdict.HELD)])
        gates.add_decisions(connection, [decision(Gate.RATE, GateVerdict.OPEN)])
        latest = {gate: one.verdict for gate, one in gates.latest(connection, uuid).items()}
        assert latest == {Gate.PAUSE: GateVerdict.HELD, Gate.RATE: GateVerdict.OPEN}
        assert len(gates.page(connection, uuid, None, 10)) == 3


def test_gates_decide_over_one_recovery_after_the_other(rows: Rows) -> None:
    with rows.database.begin() as first:
        gates.take_turn(first)
        with pytest.raises(StoreUnavailable, match="locked by another"), rows.database.begin() as second:
            second.execute(text("SET LOCAL lock_timeout = '50ms'"))
            gates.take_turn(second)


def test_a_turn_that_another_has_is_not_waited_for_when_only_a_free_one_is_wanted(rows: Rows) -> None:
    with rows.database.begin() as first:
        assert gates.take_free_turn(first)
        with rows.database.begin() as second:
            assert not gates.take_free_turn(second)
    with rows.database.begin() as third:
        assert gates.take_free_turn(third)
