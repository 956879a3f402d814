"""The import from Masakari's own database, here one on PostgreSQL; tests/real has MariaDB."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import structlog
from instance_ha import command
from instance_ha.importing import convert
from instance_ha.importing.copying import BATCH
from instance_ha.store.database import Database, driver_url
from instance_ha_simulator.postgres import Postgres
from sqlalchemy import text

from tests.unit.importing import old_masakari
from tests.unit.importing.old_masakari import HOSTS, SEGMENTS, OldMasakari

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def place(postgres: Postgres) -> Iterator[str]:
    """The name of a database for old ones."""
    name = f"masakari_{uuid4().hex[:12]}"
    postgres.run(f"CREATE DATABASE {name}")
    yield name
    postgres.drop(name)


@pytest.fixture
def old(postgres: Postgres, place: str) -> OldMasakari:
    """An old database."""
    with postgres.connected(place) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return OldMasakari(postgres.named(place), driver_url(postgres.named(place)))


@pytest.fixture
def run(database_url: str, old: OldMasakari, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the import from the old database."""
    before = structlog.get_config()

    def imported(*options: str, url: str = old.url) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            command.main(["import", "--from", url, *options], {"DATABASE_URL": database_url})
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    yield imported
    structlog.configure(**before)


def _all(database: Database, table: str) -> list[Any]:
    with database.begin() as connection:
        return list(connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings())


def _execute(database: Database, statement: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statement))


def _counts(out: str, table: str) -> dict[str, int]:
    lines = out.splitlines()
    words = next(line.split() for line in lines if line.split()[0] == table)
    return {name: int(word) for name, word in zip(lines[0].split()[1:], words[1:], strict=True) if word != "0"}


def test_everything_comes_with_its_uuids_and_times(run: Run, old: OldMasakari, database: Database) -> None:
    segment = old.segment(enabled=False, description="rack 1", updated_at=old_masakari.WHEN)
    host = old.host(segment, reserved=True, on_maintenance=True)
    notification = old.notification(source_host_uuid=host["uuid"], failover_segment_uuid=segment["uuid"])
    moves = [old.vmove(notification, instance_uuid="one") for _ in range(2)]  # Masakari tried twice
    code, out, _ = run()
    assert code == 0, out
    when = old_masakari.WHEN.replace(tzinfo=UTC)
    [here] = _all(database, "failover_segments")
    assert (here["uuid"], here["enabled"], here["created_at"], here["updated_at"]) == (
        segment["uuid"],
        False,
        when,
        when,
    )
    [here] = _all(database, "hosts")
    assert (here["uuid"], here["reserved"], here["on_maintenance"]) == (host["uuid"], True, True)
    [here] = _all(database, "notifications")
    assert here["payload"] == {"event": "STOPPED", "host_status": "NORMAL"}
    assert (here["status"], here["due_at"], here["generated_time"]) == ("finished", None, when)
    assert [here["uuid"] for here in _all(database, "vmoves")] == [move["uuid"] for move in moves]
    assert _counts(out, "vmoves") == {"read": 2, "new": 2}


def test_old_failures_are_no_news_to_the_metrics(run: Run, old: OldMasakari, database: Database) -> None:
    segment = old.segment()
    host = old.host(segment)
    old.notification(source_host_uuid=host["uuid"], failover_segment_uuid=segment["uuid"], status="failed")
    run()
    assert [here["counted"] for here in _all(database, "notifications")] == [True]


def test_a_second_import_changes_nothing(run: Run, old: OldMasakari, database: Database) -> None:
    old.vmove(old.notification(payload='{"a": 1.0, "b": 1e2}'))
    old.host(old.segment())
    run()
    before = {table: _all(database, table) for table in convert.BY_TABLE}
    code, out, _ = run()
    assert code == 0
    assert before == {table: _all(database, table) for table in convert.BY_TABLE}
    assert all(_counts(out, table) == {"read": 1, "unchanged": 1} for table in convert.BY_TABLE), out


def test_what_is_new_or_changed_there_comes_with_the_next_import(
    run: Run, old: OldMasakari, database: Database
) -> None:
    segment = old.segment()
    host = old.host(segment, name="compute1")
    run()
    old.change(HOSTS, host["uuid"], deleted=1, deleted_at=old_masakari.WHEN)
    again = old.host(segment, name="compute1")
    code, out, _ = run()
    assert (code, _counts(out, "hosts")) == (0, {"read": 2, "new": 1, "updated": 1})
    assert {row["uuid"]: row["deleted_at"] is None for row in _all(database, "hosts")} == {
        host["uuid"]: False,
        again["uuid"]: True,
    }


def test_what_has_changed_here_since_is_kept_and_a_conflict_is_told(
    run: Run, old: OldMasakari, database: Database
) -> None:
    segment = old.segment(name="rack")
    run()
    _execute(database, "UPDATE failover_segments SET description = 'ours'")
    code, out, _ = run()
    assert (code, _counts(out, "failover_segments")) == (0, {"read": 1, "kept": 1})
    old.change(SEGMENTS, segment["uuid"], description="theirs")
    code, out, _ = run()
    assert (code, _counts(out, "failover_segments")) == (2, {"read": 1, "conflict": 1})
    assert segment["uuid"] in out
    assert [row["description"] for row in _all(database, "failover_segments")] == ["ours"]


def test_what_was_purged_here_does_not_come_back(run: Run, old: OldMasakari, database: Database) -> None:
    old.notification()
    run()
    _execute(database, "DELETE FROM notifications")
    _, out, _ = run()
    assert _counts(out, "notifications") == {"read": 1, "kept": 1}
    assert _all(database, "notifications") == []


def test_a_dry_run_counts_the_same_and_writes_nothing(run: Run, old: OldMasakari, database: Database) -> None:
    old.host(old.segment())
    old.vmove(old.notification())
    _, foretold, _ = run("--dry-run")
    assert [_all(database, table) for table in convert.BY_TABLE] == [[], [], [], []]
    _, out, _ = run()
    assert [foretold.splitlines()[:5]] == [out.splitlines()[:5]]


def test_while_the_old_engine_works_nothing_is_imported_unless_forced(
    run: Run, old: OldMasakari, database: Database
) -> None:
    old.segment()
    uuid = old.notification(status="running")["notification_uuid"]
    code, _, err = run()
    assert code == 1
    assert uuid in err
    assert _all(database, "failover_segments") == []
    assert run("--force")[0] == 0


@pytest.mark.parametrize(("status", "here"), [("new", "ignored"), ("error", "failed"), ("running", "failed")])
def test_unfinished_work_is_never_begun_here(
    run: Run, old: OldMasakari, database: Database, status: str, here: str
) -> None:
    notification = old.notification(status=status, message="before")
    old.vmove(notification, status="ongoing")
    run("--force")
    [row] = _all(database, "notifications")
    assert (row["status"], row["due_at"], row["lease_until"]) == (here, None, None)
    assert row["message"].startswith("before; imported from Masakari")
    [move] = _all(database, "vmoves")
    assert (move["status"], move["due_at"]) == ("failed", None)


def test_odd_rows_are_taken_as_well_as_can_be_and_told(run: Run, old: OldMasakari, database: Database) -> None:
    gone = {"deleted_at": old_masakari.WHEN}
    segment = old.segment(name="rack", enabled=None)
    dead = old.segment(name="old", deleted=7, **gone)
    for number in range(2, 4):
        old.host(segment, name="twice", deleted=number, **gone)
    old.host(dead, name="orphan", reserved=None, on_maintenance=None)
    for payload in (None, "{'not': 'json'}", "[1]", '{"nul": "a\\u0000b", "half": "\\ud800"}', '{"big": NaN}'):
        old.notification(payload=payload, created_at=None)
    strange = old.notification(type="EARTHQUAKE")
    old.vmove(strange)
    old.vmove(old.notification(), status=None, source_host=None, type=None)
    code, out, err = run()
    assert (code, err) == (0, "")
    assert [row["enabled"] for row in _all(database, "failover_segments")] == [True, True]
    rows = {row["name"]: row for row in _all(database, "hosts")}
    assert rows["orphan"]["deleted_at"] == old_masakari.WHEN.replace(tzinfo=UTC)
    assert _counts(out, "hosts") == {"read": 3, "new": 3}
    assert _counts(out, "notifications") == {"read": 7, "new": 6, "skipped": 1}
    payloads = [row["payload"] for row in _all(database, "notifications")][:5]
    assert payloads[:3] == [{}, {"text": "{'not': 'json'}"}, {"text": "[1]"}]
    assert payloads[3] == {"nul": "ab", "half": "?"}
    assert "unknown type EARTHQUAKE" in out
    assert _counts(out, "vmoves") == {"read": 2, "new": 1, "skipped": 1}


def test_a_name_in_use_here_is_a_conflict_and_its_hosts_are_skipped(
    run: Run, old: OldMasakari, database: Database
) -> None:
    segment = old.segment(name="rack")
    old.host(segment)
    _execute(
        database,
        "INSERT INTO failover_segments (created_at, uuid, name, service_type, recovery_method)"
        " VALUES (now(), 'ours', 'rack', 'compute', 'auto')",
    )
    for options in (["--dry-run"], []):
        code, out, _ = run(*options)
        assert code == 2
        assert _counts(out, "failover_segments") == {"read": 1, "conflict": 1}
        assert _counts(out, "hosts") == {"read": 1, "skipped": 1}


def test_an_older_release_without_vmoves_and_newer_columns_is_imported(
    run: Run, old: OldMasakari, database: Database, postgres: Postgres
) -> None:
    old.segment()
    old.notification()
    pool = Database(old.url)
    _execute(pool, "DROP TABLE vmoves")
    _execute(pool, "ALTER TABLE failover_segments DROP COLUMN enabled")
    _execute(pool, "ALTER TABLE notifications DROP COLUMN failover_segment_uuid, DROP COLUMN message")
    pool.close()
    code, out, err = run()
    assert (code, err) == (0, ""), out
    assert [row["enabled"] for row in _all(database, "failover_segments")] == [True]


def test_more_rows_than_a_batch_come_and_a_stopped_import_goes_on(
    run: Run, old: OldMasakari, database: Database
) -> None:
    for _ in range(BATCH + 5):
        old.notification()
    run()
    _execute(database, "DELETE FROM notifications WHERE id IN (SELECT max(id) FROM notifications)")
    _execute(database, "DELETE FROM imported_rows WHERE uuid NOT IN (SELECT notification_uuid FROM notifications)")
    _, out, _ = run()
    assert _counts(out, "notifications") == {"read": BATCH + 5, "new": 1, "unchanged": BATCH + 4}


@pytest.mark.parametrize(
    "url",
    [
        "nonsense s3cret",
        "sqlite:///s3cret",
        "postgresql://u:s3cret@127.0.0.1:1/masakari",
        "mysql+pymysql://u:s3cret@127.0.0.1:1/masakari",
        "mysql://u:s3cret@127.0.0.1:port/masakari",
    ],
)
def test_a_url_that_does_not_work_is_one_line_without_its_password(run: Run, url: str) -> None:
    code, out, err = run(url=url)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "s3cret" not in err


def test_a_database_that_is_not_masakaris_is_refused(run: Run, database_url: str, postgres: Postgres) -> None:
    code, _, err = run(url=postgres.named("postgres"))
    assert code == 1
    assert "not the database of a Masakari" in err


def test_times_without_a_zone_are_utc_and_day_zero_is_none() -> None:
    assert convert.time(datetime(2024, 5, 1)) == datetime(2024, 5, 1, tzinfo=UTC)  # noqa: DTZ001
    assert convert.time("0000-00-00 00:00:00") is None
