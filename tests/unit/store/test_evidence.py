"""Evidence and policies as rows."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from instance_ha.models.evidence import DEAD_WHEN, Evidence, EvidenceKind, LocalDisk, SegmentPolicy, Verdict
from instance_ha.models.uuids import HostUuid, NotificationUuid, SegmentUuid
from instance_ha.store import evidence, policies
from instance_ha.store.schema import evidence as table
from instance_ha.store.schema import segment_policies
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from tests.unit.build import NOW
from tests.unit.store.conftest import Rows

HOST = HostUuid("host")
DEAD = Evidence(
    host_uuid=HOST,
    kind=EvidenceKind.POWER_OFF,
    verdict=Verdict.DEAD,
    source="redfish",
    seen_at=NOW,
    valid_until=NOW + timedelta(seconds=60),
    detail={"asked": 2},
    actor="user",
    notification_uuid=NotificationUuid("notification"),
)
RACK = SegmentUuid("rack")


def add(rows: Rows, *found: Evidence) -> None:
    """Store evidence."""
    with rows.database.begin() as connection:
        evidence.add(connection, found)


def fresh(rows: Rows, at: datetime = NOW) -> list[Evidence]:
    """Read what counts, without ids."""
    with rows.database.read() as connection:
        return [replace(one, id=0) for one in evidence.fresh(connection, HOST, at)]


def change(rows: Rows, **values: Any) -> SegmentPolicy:
    """Change the policy of the rack."""
    with rows.database.begin() as connection:
        return policies.change(connection, RACK, values, "user", NOW)


def test_evidence_is_read_as_it_was_stored(rows: Rows) -> None:
    add(rows, DEAD)
    assert fresh(rows) == [DEAD]


def test_what_has_expired_is_read_no_more(rows: Rows) -> None:
    add(rows, DEAD)
    assert fresh(rows, DEAD.valid_until - timedelta(seconds=1)) == [DEAD]
    assert fresh(rows, DEAD.valid_until) == []


def test_evidence_of_another_host_is_not_read(rows: Rows) -> None:
    add(rows, replace(DEAD, host_uuid=HostUuid("other")))
    assert fresh(rows) == []


def test_the_oldest_is_read_first(rows: Rows) -> None:
    later = replace(DEAD, seen_at=NOW + timedelta(seconds=1))
    add(rows, later, DEAD)
    assert fresh(rows) == [DEAD, later]


def test_what_a_source_saw_at_one_time_is_stored_once_and_says_the_same_for_ever(rows: Rows) -> None:
    add(rows, DEAD)
    add(rows, replace(DEAD, verdict=Verdict.ALIVE), DEAD)
    assert fresh(rows) == [DEAD]


def test_what_comes_twice_at_once_is_stored_once(rows: Rows) -> None:
    add(rows, DEAD, DEAD)
    assert fresh(rows) == [DEAD]


def test_what_is_said_to_count_longer_counts_longer_and_never_shorter(rows: Rows) -> None:
    longer = replace(DEAD, valid_until=DEAD.valid_until + timedelta(hours=1))
    add(rows, DEAD)
    add(rows, longer)
    add(rows, DEAD)
    assert fresh(rows) == [longer]


def test_nothing_is_stored_of_nothing(rows: Rows) -> None:
    add(rows)
    with rows.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


@pytest.mark.parametrize("column", ["kind", "verdict"])
def test_a_kind_or_verdict_that_is_none_is_refused_by_postgres(rows: Rows, column: str) -> None:
    add(rows, DEAD)
    with rows.database.begin() as connection, pytest.raises(IntegrityError, match=f"{column}_known"):
        connection.execute(text(f"UPDATE evidence SET {column} = 'rumour'"))


def test_a_segment_whose_policy_nobody_has_changed_behaves_as_masakari(rows: Rows) -> None:
    with rows.database.read() as connection:
        policy = policies.of_segment(connection, RACK)
    assert policy == SegmentPolicy(segment_uuid=RACK)
    assert (policy.dead_when, policy.local_disk) == (DEAD_WHEN, LocalDisk.EVACUATE)


def test_a_changed_policy_is_read_as_it_was_written_and_the_rest_is_as_it_was(rows: Rows) -> None:
    needed = (frozenset({EvidenceKind.SERVICE_DOWN, EvidenceKind.POWER_OFF}), frozenset({EvidenceKind.CONFIRMED}))
    first = change(rows, dead_when=needed)
    assert (first.dead_when, first.local_disk) == (needed, LocalDisk.EVACUATE)
    second = change(rows, local_disk=LocalDisk.HOLD)
    assert (second.dead_when, second.local_disk, second.actor) == (needed, LocalDisk.HOLD, "user")
    with rows.database.read() as connection:
        assert policies.of_segment(connection, RACK) == second
        assert connection.execute(select(func.count()).select_from(segment_policies)).scalar_one() == 1


def test_what_is_not_given_of_a_first_change_is_the_default(rows: Rows) -> None:
    changed = change(rows, local_disk=LocalDisk.LEAVE)
    assert (changed.dead_when, changed.local_disk) == (DEAD_WHEN, LocalDisk.LEAVE)
