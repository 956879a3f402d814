"""What recoveries have done to fence hosts."""

from datetime import timedelta

import pytest
from instance_ha.models.fencing import FenceOutcome, Rung
from instance_ha.models.uuids import HostUuid
from instance_ha.store import fence_attempts
from instance_ha.store.database import Database
from instance_ha.store.schema import fence_attempts as table
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from tests.unit.build import NOW, host, notification

FIRST, SECOND = Rung(0, "redfish", "bmc", 60), Rung(1, "ipmi", "bmc", 60)
OURS = notification(attempt=1)


def test_a_rung_is_there_before_it_has_an_answer(database: Database) -> None:
    with database.begin() as connection:
        begun = fence_attempts.begin(connection, OURS, host(), FIRST, 1, NOW)
    with database.read() as connection:
        assert fence_attempts.of_attempt(connection, OURS.notification_uuid, 1) == [begun]
    assert (begun.asked_at, begun.answer, begun.outcome) == (NOW, None, None)
    assert begun.is_of(FIRST) and not begun.is_of(SECOND)


def test_a_host_is_fenced_only_after_it_was_seen_to_be_off(database: Database) -> None:
    with database.begin() as connection:
        begun = fence_attempts.begin(connection, OURS, host(), FIRST, 1, NOW)
        assert not fence_attempts.was_fenced(connection, host().uuid)
        fence_attempts.change(connection, begun, outcome=FenceOutcome.OFF, ended_at=NOW)
        assert fence_attempts.was_fenced(connection, host().uuid)
        assert not fence_attempts.was_fenced(connection, HostUuid("another"))


def test_what_an_earlier_recovery_has_left_open_has_failed_when_another_begins(database: Database) -> None:
    later = NOW + timedelta(minutes=5)
    with database.begin() as connection:
        fence_attempts.begin(connection, OURS, host(), FIRST, 1, NOW)
        fence_attempts.begin(connection, notification(notification_uuid="another", attempt=1), host(), FIRST, 1, later)
        (left,) = fence_attempts.of_attempt(connection, OURS.notification_uuid, 1)
    assert (left.outcome, left.ended_at, left.reason) == (FenceOutcome.FAILED, later, "its recovery has ended")


def test_postgres_refuses_a_second_way_to_fence_a_host_at_once(database: Database) -> None:
    with database.begin() as connection:
        begun = fence_attempts.begin(connection, OURS, host(), FIRST, 1, NOW)
    values = {"notification_uuid": "another", "attempt": 1, "position": 0, "method": "ipmi", "address": "bmc"}
    with pytest.raises(IntegrityError, match="one_at_a_time"), database.begin() as connection:
        connection.execute(insert(table).values(host_uuid=begun.host_uuid, begun_at=NOW, asked_at=NOW, **values))
