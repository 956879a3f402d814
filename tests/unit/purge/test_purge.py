"""Which rows go, which stay, in which order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from instance_ha.decide.purge import PurgeRequest, check
from instance_ha.models.errors import BadRequest
from instance_ha.purge import PurgeResult, scheduled
from instance_ha.store.purge import RULES, Wanted, remove
from instance_ha.store.schema import evidence, guest_health, host_health, segment_policies
from instance_ha_simulator.scheduler import START
from sqlalchemy import insert, text

from tests.looks import rows_read
from tests.unit.purge.history import HOST, MESSAGE, NOTIFICATION, SEGMENT, VMOVE, History

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "rows", "reason"),
    [
        (-1, -2, "max_rows must be -1"),
        (-1, 2**31, "max_rows must be -1"),
        (-1, 0, "greater than 0"),
        (-1, 1, "not be negative"),
        (20779, 1, "epoch"),
        (10**30, 1, "epoch"),
    ],
)
def test_a_purge_that_makes_no_sense_is_refused_in_the_order_of_the_original(age: int, rows: int, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        check(PurgeRequest(age, rows), NOW)


@pytest.mark.parametrize(("age", "rows"), [(0, 1), (30, -1), (20778, 2**31 - 1)])
def test_the_limits_of_age_and_rows_are_allowed(age: int, rows: int) -> None:
    check(PurgeRequest(age, rows), NOW)


@pytest.fixture
def history(database_url: str) -> History:
    """An empty history."""
    return History(database_url)


def test_what_was_deleted_long_ago_goes_and_what_lives_or_was_deleted_lately_stays(history: History) -> None:
    for number, days in enumerate((31.0, 29.0, None)):
        segment = SEGMENT | {"uuid": f"segment{number}", "name": f"s{number}"}
        history.add("failover_segments", segment, deleted_at=days)
        history.add("hosts", HOST | {"name": f"h{number}", "failover_segment_id": f"segment{number}"}, deleted_at=days)
    assert history.purged() == {"hosts": 1, "failover_segments": 1}
    assert history.names("failover_segments", "uuid") == ["segment1", "segment2"]


def test_a_segment_waits_for_its_hosts(history: History) -> None:
    history.add("failover_segments", SEGMENT | {"uuid": "segment"}, deleted_at=31)
    history.add("hosts", HOST, deleted_at=29)
    assert history.purged() == {}


def test_a_notification_goes_with_its_vmoves_and_its_progress(history: History) -> None:
    history.notification("old", 31, moves=3, tasks=2)
    history.notification("young", 29, moves=1, tasks=1)
    assert history.purged() == {"notifications": 1, "vmoves": 3, "recovery_tasks": 2}
    assert history.left() == {"notifications": 1, "vmoves": 1, "recovery_tasks": 1}


@pytest.mark.parametrize("status", ["new", "running", "error"])
def test_what_is_still_being_recovered_stays_however_old_it_is(history: History, status: str) -> None:
    history.notification("open", 1000, moves=1, tasks=1, status=status)
    assert history.purged(age_in_days=0) == {}


@pytest.mark.parametrize("status", ["finished", "failed", "ignored"])
def test_every_final_notification_goes(history: History, status: str) -> None:
    history.notification("n", 31, status=status)
    assert history.purged() == {"notifications": 1}


def test_a_notification_that_has_ended_lately_stays(history: History) -> None:
    history.notification("n", 29, created_at=99.0)
    assert history.purged() == {}


def test_a_notification_stays_until_its_final_check(history: History) -> None:
    history.notification("n", 31, moves=1, due_at=history.world.clock.now())
    assert history.purged() == {}


def test_a_notification_that_was_never_updated_goes_by_its_birth(history: History) -> None:
    history.notification("n", None)
    assert history.purged() == {"notifications": 1}


def test_what_belongs_to_no_notification_goes(history: History) -> None:
    history.add("vmoves", VMOVE | {"notification_uuid": "gone"})
    assert history.purged() == {"vmoves": 1}


def test_delivered_and_dead_letters_go_and_waiting_ones_stay(history: History) -> None:
    history.add("outbox", MESSAGE | {"state": "sent"}, done_at=31)
    history.add("outbox", MESSAGE | {"state": "dead"}, done_at=31)
    history.add("outbox", MESSAGE | {"state": "sent"}, done_at=29)
    history.add("outbox", MESSAGE, due_at=99)
    assert history.purged() == {"outbox": 2}


def test_max_rows_counts_over_all_tables_and_what_is_oldest_goes_first(history: History) -> None:
    for number, days in enumerate((40.0, 60.0, 50.0)):
        history.add("failover_segments", SEGMENT | {"uuid": f"s{number}", "name": f"s{number}"}, deleted_at=days)
    history.notification("n", 31, moves=2)
    assert history.purged(max_rows=4) == {"vmoves": 2, "notifications": 1, "failover_segments": 1}
    assert history.names("failover_segments", "uuid") == ["s0", "s2"]


def test_notifications_go_in_the_order_in_which_they_came(history: History) -> None:
    for status in ("finished", "ignored", "failed"):
        history.notification(status, 31, status=status)
    assert history.purged(max_rows=1) == {"notifications": 1}
    assert history.names("notifications", "notification_uuid") == ["ignored", "failed"]


_MANY = {
    "notifications": """
        INSERT INTO notifications
            (notification_uuid, created_at, generated_time, source_host_uuid, type, payload, status)
        SELECT 'n' || n, :then, :then, 'h' || n % 10, 'VM', '{}', (ARRAY['finished', 'failed', 'ignored'])[1 + n % 3]
        FROM generate_series(1, 5000) n""",
    "vmoves": """
        INSERT INTO vmoves
            (uuid, created_at, notification_uuid, instance_uuid, instance_name, source_host, status, step, facts)
        SELECT 'v' || id, :then, notification_uuid, 'i', 'vm', 'h', 'succeeded', 'settle', '{}' FROM notifications""",
    "recovery_tasks": """
        INSERT INTO recovery_tasks (notification_uuid, attempt, position, name, state)
        SELECT notification_uuid, 1, 1, 't', 'SUCCESS' FROM notifications""",
    "outbox": """
        INSERT INTO outbox (event_id, created_at, event_type, subject, body, sink, state, done_at)
        SELECT 'e' || id, :then, 't', 's', '{}', 'one', 'sent', :then FROM notifications""",
}


@pytest.mark.parametrize("table", _MANY)
def test_the_next_rows_are_found_by_a_look_at_few_others(history: History, table: str) -> None:
    """Or a purge of ten times the rows would take a hundred times the time."""
    (rule,) = (rule for rule in RULES if rule.table.name == table)
    with history.world.database.begin() as connection:
        for name in dict.fromkeys(("notifications", table)):
            connection.execute(text(_MANY[name]), {"then": START - timedelta(days=60)})
        connection.execute(text("ANALYZE"))
    with history.world.database.begin() as connection:
        before = rows_read(connection)
        assert len(remove(connection, Wanted(rule, START, 10)).ids) == 10
        assert rows_read(connection) - before < 200


def test_a_notification_whose_vmoves_did_not_fit_stays_with_the_rest(history: History) -> None:
    history.notification("n", 31, moves=3)
    assert history.purged(max_rows=2) == {"vmoves": 2}
    assert history.purged(max_rows=2) == {"vmoves": 1, "notifications": 1}


def test_a_dry_run_counts_what_a_purge_then_deletes(history: History) -> None:
    history.notification("n", 31, moves=3, tasks=1)
    history.add("failover_segments", SEGMENT | {"uuid": "segment"}, deleted_at=31)
    history.add("hosts", HOST, deleted_at=31)
    before = history.left()
    counted, some = history.purged(dry_run=True), history.purged(dry_run=True, max_rows=3)
    assert before == history.left()
    assert some == {"hosts": 1, "vmoves": 2}
    assert history.purged() == counted
    assert history.left() == {}


def test_small_batches_purge_the_same(database_url: str) -> None:
    history = History(database_url, purge_batch="1")
    history.notification("n", 31, moves=3, tasks=2)
    assert history.purged() == {"notifications": 1, "vmoves": 3, "recovery_tasks": 2}


def test_a_purge_stops_when_its_time_is_up_and_the_next_one_goes_on(database_url: str) -> None:
    history = History(database_url, purge_batch="1", invocation_time="2", archive_bucket="any")
    history.notification("n", 31, moves=20)
    first, second = history.purge(), history.purge(100)
    history.run()
    assert isinstance(first[0], PurgeResult)
    assert isinstance(second[0], PurgeResult)
    assert not first[0].complete
    assert 0 < first[0].total < 21
    assert (second[0].complete, first[0].total + second[0].total) == (True, 21)


def test_samples_of_hosts_that_are_gone_go_with_them(history: History) -> None:
    history.add("failover_segments", SEGMENT | {"uuid": "segment"})
    history.add("hosts", HOST | {"uuid": "alive", "name": "a"})
    history.add("hosts", HOST | {"uuid": "gone", "name": "g"}, deleted_at=31)
    history.add("hosts", HOST | {"uuid": "just-gone", "name": "j"}, deleted_at=29)
    of_a_host = {"samples": [], "state": "up", "listed": True, "suppressed": False, "reported": "nothing"}
    of_a_guest = {"state": "healthy", "misses": 0, "ran": True, "fault_reported": False, "policy": {}}
    with history.world.database.begin() as connection:
        for name in ("alive", "gone", "just-gone", "purged"):
            connection.execute(insert(host_health).values(of_a_host | {"host_uuid": name}))
            connection.execute(insert(guest_health).values(of_a_guest | {"host_uuid": name, "instance_uuid": name}))
    assert history.purged() == {"host_health": 2, "guest_health": 2, "hosts": 1}
    assert history.names("host_health", "host_uuid") == ["alive", "just-gone"]
    assert history.names("guest_health", "host_uuid") == ["alive", "just-gone"]


def test_evidence_goes_when_it_has_expired_long_ago_and_a_policy_with_its_segment(history: History) -> None:
    history.add("failover_segments", SEGMENT | {"uuid": "alive", "name": "a"})
    history.add("failover_segments", SEGMENT | {"uuid": "gone", "name": "g"}, deleted_at=31)
    seen = {"kind": "libvirt", "verdict": "alive", "source": "s", "detail": {}}
    with history.world.database.begin() as connection:
        for days in (29, 31):
            at = START - timedelta(days=days)
            connection.execute(insert(evidence).values(seen | {"host_uuid": "h", "seen_at": at, "valid_until": at}))
        for uuid in ("alive", "gone"):
            connection.execute(insert(segment_policies).values(segment_uuid=uuid, updated_at=START))
    assert history.purged() == {"evidence": 1, "segment_policies": 1, "failover_segments": 1}
    assert history.names("segment_policies", "segment_uuid") == ["alive"]


def test_the_schedule_purges_as_the_settings_say(database_url: str) -> None:
    history = History(database_url, purge_age_in_days="10", purge_max_rows="1")
    history.add("outbox", MESSAGE | {"state": "sent"}, done_at=11)
    history.add("outbox", MESSAGE | {"state": "sent"}, done_at=12)
    scheduled(history.world)
    assert history.left() == {"outbox": 1}


def test_a_schedule_that_is_switched_off_purges_nothing(database_url: str) -> None:
    history = History(database_url, purge_age_in_days="-1")
    history.add("notifications", NOTIFICATION, updated_at=1000)
    scheduled(history.world)
    assert history.left() == {"notifications": 1}


def test_rows_that_somebody_works_on_are_left_out_and_not_waited_for(history: History) -> None:
    history.notification("held", 31)
    history.notification("free", 31)
    with history.world.database.begin() as connection:
        connection.execute(text("SELECT 1 FROM notifications WHERE notification_uuid = 'held' FOR UPDATE"))
        assert history.purged() == {"notifications": 1}
    assert history.names("notifications", "notification_uuid") == ["held"]


ARCHIVES = pytest.mark.parametrize("settings", [{}, {"archive_bucket": "any"}], ids=["deleted", "archived"])


@ARCHIVES
def test_a_segment_that_waits_for_its_hosts_keeps_back_no_other(database_url: str, settings: dict[str, Any]) -> None:
    history = History(database_url, purge_batch="1", **settings)
    for number in range(4):
        history.add("failover_segments", SEGMENT | {"uuid": f"s{number}", "name": f"s{number}"}, deleted_at=31)
    for number in (0, 1, 2):
        history.add("hosts", HOST | {"name": f"h{number}", "failover_segment_id": f"s{number}"})
    assert history.purged() == {"failover_segments": 1}
    assert history.names("failover_segments", "uuid") == ["s0", "s1", "s2"]


@ARCHIVES
def test_notifications_whose_vmoves_are_worked_on_keep_back_no_younger_one(
    database_url: str, settings: dict[str, Any]
) -> None:
    history = History(database_url, purge_batch="1", **settings)
    for name in ("held", "held too", "free"):
        history.notification(name, 31, moves=1)
    with history.world.database.begin() as connection:
        connection.execute(text("SELECT 1 FROM vmoves WHERE notification_uuid <> 'free' FOR UPDATE"))
        assert history.purged() == {"vmoves": 1, "notifications": 1}
    assert history.names("notifications", "notification_uuid") == ["held", "held too"]


@ARCHIVES
def test_rows_of_one_moment_go_all(database_url: str, settings: dict[str, Any]) -> None:
    history = History(database_url, purge_batch="2", **settings)
    for number in range(5):
        history.add("failover_segments", SEGMENT | {"uuid": f"s{number}", "name": f"s{number}"}, deleted_at=31)
    assert history.purged() == {"failover_segments": 5}
