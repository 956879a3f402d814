"""What is remembered of guests."""

from dataclasses import replace

from instance_ha.models.guests import Fault, GuestHealth, GuestPolicy, GuestState
from instance_ha.store import guest_health
from instance_ha.store.database import Database
from sqlalchemy import text

from tests.unit.build import NOW

GUEST = GuestHealth(
    instance_uuid="a",
    host_uuid="here",
    domain_id=7,
    state=GuestState.ERROR,
    misses=2,
    since=NOW,
    ran=True,
    fault=Fault.IO_ERROR,
    fault_since=NOW,
    muted_until=NOW,
    pinged_at=NOW,
    policy=GuestPolicy(on=True, interval=30.0, threshold=5),
    policy_at=NOW,
)
OTHER = GuestHealth(instance_uuid="b", host_uuid="here")


def _write(database: Database, *guests: GuestHealth, host: str = "here") -> None:
    with database.begin() as connection:
        guest_health.write(connection, host, guests)


def _read(database: Database, host: str = "here", *uuids: str) -> dict[str, GuestHealth]:
    with database.begin() as connection:
        return guest_health.of_host(connection, host, uuids)


def test_what_was_written_is_read(database: Database) -> None:
    _write(database, GUEST, OTHER)
    assert _read(database) == {"a": GUEST, "b": OTHER}
    _write(database, replace(GUEST, misses=3), OTHER)
    assert _read(database)["a"].misses == 3


def test_guests_that_are_gone_are_forgotten_and_those_of_other_hosts_are_not(database: Database) -> None:
    _write(database, GUEST, OTHER)
    _write(database, GuestHealth(instance_uuid="c", host_uuid="there"), host="there")
    _write(database, OTHER)
    assert set(_read(database)) == {"b"}
    _write(database)
    assert _read(database) == {}
    assert set(_read(database, "there")) == {"c"}


def test_a_guest_that_has_moved_brings_what_is_known_of_it(database: Database) -> None:
    _write(database, GUEST)
    assert _read(database, "there", "a") == {"a": GUEST}
    _write(database, replace(GUEST, host_uuid="there"), host="there")
    _write(database)
    assert set(_read(database, "there")) == {"a"}


def test_a_reported_guest_is_reported_unless_it_has_come_back_meanwhile(database: Database) -> None:
    _write(database, GUEST, OTHER)
    with database.begin() as connection:
        guest_health.agent_reported(connection, "a")
        guest_health.agent_reported(connection, "b")
        guest_health.fault_reported(connection, "a")
        guest_health.mute(connection, "b", NOW)
    known = _read(database)
    assert (known["a"].state, known["a"].fault_reported) == (GuestState.REPORTED, True)
    assert (known["b"].state, known["b"].muted_until) == (GuestState.DISCOVERY, NOW)


def test_many_guests_are_written_by_two_statements(database: Database) -> None:
    many = [GuestHealth(instance_uuid=f"instance-{n}", host_uuid="here") for n in range(2000)]
    before = database.statements
    _write(database, *many)
    assert database.statements == before + 2


def test_guests_of_hosts_that_are_not_watched_are_forgotten(database: Database) -> None:
    _write(database, GUEST)
    with database.begin() as connection:
        guest_health.forget(connection, ["there"])
    assert _read(database) == {}


def test_a_guest_policy_that_a_newer_version_wrote_is_read_without_what_is_new(database: Database) -> None:
    _write(database, GUEST)
    with database.begin() as connection:
        connection.execute(text("""UPDATE guest_health SET policy = policy || '{"invented_later": 1}'"""))
    assert _read(database) == {"a": GUEST}
