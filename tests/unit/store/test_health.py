"""What the monitors remember: claims of polls, and a batch of hosts in one statement."""

from datetime import timedelta

from instance_ha.models.health import HostHealth, HostState, Reading, RegisteredHost, ReportState, Sample
from instance_ha.store import host_health, hosts, segments, watches
from instance_ha.store.database import Database

from tests.unit.build import NOW
from tests.unit.store.conftest import Rows

LATER = NOW + timedelta(seconds=60)


def _claim(database: Database, owner: str, now: object = NOW, limit: int = 1) -> list[str]:
    with database.begin() as connection:
        watches.register(connection, ["a", "b"], NOW)
        return sorted(watches.claim(connection, ["a", "b"], owner, now, 54, limit))  # type: ignore[arg-type]


def test_a_poll_is_claimed_by_one_tick_only(database: Database) -> None:
    assert _claim(database, "first", limit=2) == ["a", "b"]
    assert _claim(database, "second", limit=2) == []


def test_a_poll_is_due_again_after_its_time_for_any_owner(database: Database) -> None:
    _claim(database, "first", limit=2)
    assert _claim(database, "second", LATER, limit=2) == ["a", "b"]


def test_no_more_are_claimed_than_asked_for_and_the_longest_overdue_first(database: Database) -> None:
    assert _claim(database, "first") == ["a"]
    assert _claim(database, "first") == ["b"]


def test_two_ticks_at_the_same_time_do_not_wait_for_each_other(database: Database) -> None:
    with database.begin() as connection:
        watches.register(connection, ["a", "b"], NOW)
    with database.begin() as first, database.begin() as second:
        assert sorted(watches.claim(first, ["a", "b"], "one", NOW, 54, 1)) == ["a"]
        assert sorted(watches.claim(second, ["a", "b"], "two", NOW, 54, 1)) == ["b"]


def test_who_was_overtaken_does_not_hold_the_poll_any_more(database: Database) -> None:
    _claim(database, "first", limit=2)
    _claim(database, "second", LATER, limit=2)
    with database.begin() as connection:
        assert not watches.hold(connection, "a", "first")
        assert watches.hold(connection, "a", "second")


def test_a_good_poll_is_remembered_by_the_next_claim(database: Database) -> None:
    _claim(database, "first", limit=2)
    with database.begin() as connection:
        watches.polled(connection, "a", NOW)
        assert watches.next_due(connection, ["a"]) == NOW + timedelta(seconds=54)
        assert watches.claim(connection, ["a", "b"], "second", LATER, 54, 2) == {"a": NOW, "b": None}


def test_a_poll_that_needs_longer_may_say_when_the_next_one_is_due(database: Database) -> None:
    _claim(database, "first", limit=2)
    with database.begin() as connection:
        watches.polled(connection, "a", NOW, LATER)
        assert watches.next_due(connection, ["a"]) == LATER


def test_what_is_not_watched_any_more_is_forgotten(database: Database) -> None:
    _claim(database, "first", limit=2)
    with database.begin() as connection:
        watches.register(connection, [watches.HOSTS], NOW)
        watches.forget(connection, ["a"])
        assert watches.next_due(connection, ["b"]) is None
        assert watches.next_due(connection, [watches.HOSTS]) == NOW


def _registered(database: Database) -> dict[str, RegisteredHost]:
    with database.begin() as connection:
        return {host.name: host for host in host_health.registered(connection)}


def _write(database: Database, *healths: HostHealth) -> None:
    with database.begin() as connection:
        host_health.write(connection, healths)


def test_hosts_are_monitored_in_enabled_segments_and_not_on_maintenance(rows: Rows) -> None:
    enabled, disabled = rows.segment(), rows.segment(enabled=False)
    rows.host(enabled, name="well")
    rows.host(enabled, name="resting", on_maintenance=True)
    rows.host(disabled, name="left-alone")
    monitored = {name: host.monitored for name, host in _registered(rows.database).items()}
    assert monitored == {"well": True, "resting": False, "left-alone": False}


def test_deleted_hosts_and_hosts_of_deleted_segments_are_not_registered(rows: Rows) -> None:
    segment, other = rows.segment(), rows.segment()
    host = rows.host(segment)
    rows.host(other)
    with rows.database.begin() as connection:
        hosts.delete(connection, host.uuid, NOW)
        segments.delete(connection, other.uuid, NOW)
    assert _registered(rows.database) == {}


def test_what_was_written_is_read(rows: Rows) -> None:
    host = rows.host(rows.segment(), name="compute1")
    assert _registered(rows.database)["compute1"].health == HostHealth(host_uuid=host.uuid)
    known = HostHealth(
        host_uuid=host.uuid,
        samples=(Sample(NOW, {"manage": Reading.UP, "storage": Reading.DOWN}),),
        state=HostState.DOWN,
        since=NOW,
        listed=True,
        suppressed=True,
    )
    _write(rows.database, known)
    assert _registered(rows.database)["compute1"].health == known
    with rows.database.begin() as connection:
        assert host_health.listed(connection) == {"compute1"}


def test_any_number_of_hosts_is_written_by_one_statement(database: Database) -> None:
    many = [HostHealth(host_uuid=f"host-{n}", samples=(Sample(NOW, {"node": Reading.UP}),)) for n in range(5000)]
    with database.begin() as connection:
        before = database.statements
        host_health.write(connection, many)
        assert database.statements == before + 1


def test_a_poll_does_not_overwrite_what_has_been_reported_meanwhile(rows: Rows) -> None:
    host = rows.host(rows.segment(), name="compute1")
    _write(rows.database, HostHealth(host_uuid=host.uuid, state=HostState.DOWN))
    with rows.database.begin() as connection:
        host_health.reported(connection, host.uuid, ReportState.STOPPED, LATER, "202 taken")
    _write(rows.database, HostHealth(host_uuid=host.uuid, state=HostState.DOWN, reported=ReportState.NOTHING))
    known = _registered(rows.database)["compute1"].health
    assert (known.reported, known.reported_at, known.answer) == (ReportState.STOPPED, LATER, "202 taken")


def test_a_host_that_left_the_monitored_ones_was_reported_before(rows: Rows) -> None:
    host = rows.host(rows.segment(), name="compute1")
    _write(rows.database, HostHealth(host_uuid=host.uuid, reported=ReportState.STOPPED))
    _write(rows.database, HostHealth(host_uuid=host.uuid, reported=ReportState.STOPPED_BEFORE))
    assert _registered(rows.database)["compute1"].health.reported is ReportState.STOPPED_BEFORE


def test_what_is_known_of_a_host_goes_with_it(rows: Rows) -> None:
    host = rows.host(rows.segment())
    _write(rows.database, HostHealth(host_uuid=host.uuid, listed=True), HostHealth(host_uuid="long gone"))
    with rows.database.begin() as connection:
        host_health.forget(connection)
        hosts.delete(connection, host.uuid, NOW)
        assert host_health.listed(connection) == frozenset()
        host_health.forget(connection)
    with rows.database.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM host_health").scalar_one() == 0
