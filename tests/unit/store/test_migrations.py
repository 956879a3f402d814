"""Code of version N works on the schema of N+1: the job that upgrades runs before the functions are replaced.

What each migration does to a real schema is compared, table by table. One that takes something away, or asks for more,
says ``contract = True``, and may do so only with what the release before names no more.
"""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from instance_ha.store import migrate
from instance_ha.store.database import driver_url
from instance_ha_simulator.databases import Databases
from instance_ha_simulator.postgres import Postgres
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"

Schema = dict[str, dict[str, Any]]

# What the first release writes, by the names that it has for things.
OLDEST = (
    "INSERT INTO failover_segments (created_at, uuid, name, service_type, recovery_method)"
    " VALUES (now(), 'segment', 'rack', 'compute', 'auto')",
    "INSERT INTO hosts (created_at, uuid, name, type, control_attributes, failover_segment_id)"
    " VALUES (now(), 'host', 'compute1', 'COMPUTE', 'SSH', 'segment')",
    "INSERT INTO notifications (created_at, notification_uuid, generated_time, source_host_uuid, type, payload, status,"
    " due_at) VALUES (now(), 'notification', now(), 'host', 'COMPUTE_HOST', '{}', 'new', now())",
    "UPDATE notifications SET status = 'running', attempt = 1, tries = 0, lease_owner = 'a', lease_until = now(),"
    " message = NULL, updated_at = now() WHERE notification_uuid = 'notification'",
    "INSERT INTO recovery_tasks (notification_uuid, attempt, position, name, state)"
    " VALUES ('notification', 1, 0, 'DisableComputeServiceTask', 'PENDING')",
    "INSERT INTO vmoves (created_at, uuid, notification_uuid, instance_uuid, instance_name, source_host, status,"
    " position, step, facts, last_migration_id, attempt) VALUES (now(), 'vmove', 'notification', 'vm', 'vm',"
    " 'compute1', 'pending', 0, 'start', '{}', 0, 1)",
    "UPDATE vmoves SET status = 'succeeded', step = 'settle', dest_host = 'compute2', end_time = now(),"
    " asked_at = now(), locked_by_us = false, due_at = NULL, lease_owner = NULL, lease_until = NULL"
    " WHERE uuid = 'vmove'",
    "UPDATE recovery_tasks SET state = 'SUCCESS', progress = 1, details = '[]', data = '{}'",
    "UPDATE notifications SET status = 'finished', due_at = NULL, lease_owner = NULL, lease_until = NULL",
    "UPDATE hosts SET deleted_at = now(), on_maintenance = true, reserved = false",
    "UPDATE failover_segments SET deleted_at = now(), enabled = false, description = ''",
)


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """An empty database."""
    name = f"migrated_{uuid4().hex[:12]}"
    postgres.run(f"CREATE DATABASE {name}")
    yield postgres.named(name)
    postgres.drop(name)


def _engine(url: str) -> Engine:
    return create_engine(driver_url(url), poolclass=NullPool)


def _step(url: str, revision: str) -> None:
    with _engine(url).begin() as connection:
        command.upgrade(migrate._config(connection), revision)


def _revisions() -> list[Any]:
    """All migrations, the oldest first."""
    return list(reversed(list(ScriptDirectory(str(VERSIONS.parent)).walk_revisions())))


def _schema(database: Engine | Connection) -> Schema:
    seen = inspect(database)
    return {
        table: {
            "columns": {column["name"]: column for column in seen.get_columns(table)},
            "checks": {str(check["name"]): check["sqltext"] for check in seen.get_check_constraints(table)},
            "unique": {str(one["name"]): set(one["column_names"]) for one in seen.get_indexes(table) if one["unique"]},
        }
        for table in seen.get_table_names()
    }


@pytest.fixture(scope="module")
def newest(databases: Databases) -> Iterator[tuple[Engine, Schema]]:
    """A database as it is now, and its schema."""
    with databases.fresh() as url:
        engine = _engine(url)
        yield engine, _schema(engine)


def broken(before: Schema, after: Schema) -> list[str]:
    """Tell what the code of before would stumble over."""
    said = [f"{table} is gone" for table in before.keys() - after.keys()]
    for table in before.keys() & after.keys():
        old, new = before[table], after[table]
        for name, column in old["columns"].items():
            said += _column(f"{table}.{name}", column, new["columns"].get(name))
        for name in new["columns"].keys() - old["columns"].keys():
            column = new["columns"][name]
            given = column["nullable"] or column["default"] is not None or column.get("identity")
            said += [] if given else [f"{table}.{name} is new, and must be given"]
        said += [f"{table}: {name} is a new rule" for name in new["checks"] if name not in old["checks"]]
        said += [f"{table}: {name} allows less" for name in old["checks"] if _words(old, name) - _words(new, name, old)]
        for name, columns in new["unique"].items():
            wider = name in old["unique"] and columns >= old["unique"][name]
            if not wider and columns & old["columns"].keys():
                said.append(f"{table}: {name} is a new uniqueness")
    return sorted(said)


def _words(schema: dict[str, Any], name: str, fallback: dict[str, Any] | None = None) -> set[str]:
    """The values that a check allows; one that was dropped allows everything."""
    found = schema["checks"].get(name) or (fallback or schema)["checks"][name]
    return set(re.findall(r"'([^']*)'", found))


def _column(name: str, old: Any, new: Any) -> list[str]:
    if new is None:
        return [f"{name} is gone"]
    said = [f"{name} has another type"] if str(old["type"]) != str(new["type"]) else []
    said += [f"{name} must be given now"] if old["nullable"] and not new["nullable"] else []
    return said + ([f"{name} has lost its default"] if old["default"] is not None and new["default"] is None else [])


def test_no_migration_breaks_the_code_of_the_version_before(url: str) -> None:
    before: Schema = {}
    for script in _revisions():
        _step(url, script.revision)
        after = _schema(_engine(url))
        if not getattr(script.module, "contract", False):
            assert broken(before, after) == [], f"migration {script.revision}"
        before = after


def test_the_statements_of_the_oldest_schema_work_on_the_newest(url: str) -> None:
    migrate.upgrade(url)
    with _engine(url).begin() as connection:
        for statement in OLDEST:
            assert connection.execute(text(statement)).rowcount == 1, statement


def test_rows_written_before_an_upgrade_are_there_after_it(url: str) -> None:
    _step(url, _revisions()[0].revision)
    with _engine(url).begin() as connection:
        for statement in OLDEST[:6]:
            connection.execute(text(statement))
    migrate.upgrade(url)
    with _engine(url).begin() as connection:
        assert connection.execute(text("SELECT uuid FROM vmoves")).scalars().all() == ["vmove"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DROP TABLE vmoves", "vmoves is gone"),
        ("ALTER TABLE hosts RENAME COLUMN type TO kind", "hosts.type is gone"),
        ("ALTER TABLE hosts ALTER COLUMN name TYPE text", "hosts.name has another type"),
        (
            "ALTER TABLE hosts ADD COLUMN zone text NOT NULL",
            "hosts.zone is",
        ),
        ("ALTER TABLE vmoves ALTER COLUMN message SET NOT NULL", "vmoves.message must be given now"),
        ("ALTER TABLE vmoves ALTER COLUMN tries DROP DEFAULT", "vmoves.tries has lost its default"),
        ("ALTER TABLE hosts ADD CHECK (name <> '')", "is a new rule"),
        (
            "ALTER TABLE vmoves DROP CONSTRAINT status_known, ADD CONSTRAINT status_known CHECK (status = 'pending')",
            "vmoves: status_known allows less",
        ),
        ("CREATE UNIQUE INDEX one ON vmoves (instance_uuid)", "one is a new uniqueness"),
    ],
)
def test_the_checker_finds_what_would_break(newest: tuple[Engine, Schema], change: str, found: str) -> None:
    engine, before = newest
    with engine.connect() as connection:  # and without a commit
        connection.execute(text(change))
        assert any(found in line for line in broken(before, _schema(connection)))


def test_upgrades_at_the_same_time_wait_for_each_other(url: str) -> None:
    troubles: list[BaseException] = []
    together = threading.Barrier(4)

    def upgrade() -> None:
        together.wait()
        try:
            migrate.upgrade(url)
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert troubles == []
    assert migrate.version(url) == _revisions()[-1].revision
