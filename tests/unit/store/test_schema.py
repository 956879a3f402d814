"""The schema: migrations, names that may be used again, indexes behind every query that runs often."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from instance_ha.models.enums import NotificationType
from instance_ha.models.errors import Conflict, NotFound, StoreUnavailable
from instance_ha.models.evidence import Evidence, SegmentPolicy
from instance_ha.models.fencing import FenceAttempt
from instance_ha.models.gates import Approval, GateDecision, Pause, Scope
from instance_ha.models.rows import Host, InstanceFacts, Notification, Segment, TaskRow, VMove
from instance_ha.models.uuids import HostUuid, NotificationUuid, SegmentUuid
from instance_ha.store import (
    approvals,
    batches,
    budgets,
    evidence,
    fence_attempts,
    gates,
    hosts,
    leases,
    migrate,
    notifications,
    outbox,
    outlook,
    pauses,
    rounds,
    segments,
    vmoves,
)
from instance_ha.store import schema as tables
from instance_ha.store.database import Database
from instance_ha.store.paging import Page
from instance_ha_simulator.databases import Databases
from instance_ha_simulator.postgres import Postgres
from sqlalchemy import Connection, Table, event, text

from tests.unit.build import NOW, STOPPED, host, notification, task
from tests.unit.store.conftest import Rows


@pytest.fixture
def empty_url(postgres: Postgres) -> Iterator[str]:
    """A database without any table."""
    name = f"empty_{uuid4().hex[:12]}"
    postgres.run(f"CREATE DATABASE {name}")
    yield postgres.named(name)
    postgres.drop(name)


def test_the_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_an_empty_database_has_no_revision_and_an_upgraded_one_has(empty_url: str) -> None:
    assert migrate.version(empty_url) is None
    migrate.upgrade(empty_url)
    assert migrate.version(empty_url) is not None


def test_a_second_upgrade_changes_nothing(rows: Rows, database_url: str) -> None:
    segment = rows.segment()
    before = migrate.version(database_url)
    migrate.upgrade(database_url)
    assert before == migrate.version(database_url)
    with rows.database.begin() as connection:
        assert segment == segments.find(connection, segment.uuid)


def test_both_spellings_of_the_postgres_scheme_are_upgraded(empty_url: str) -> None:
    migrate.upgrade(empty_url.replace("postgresql://", "postgres://"))


def test_the_pool_takes_both_spellings_of_the_postgres_scheme(database_url: str) -> None:
    pool = Database(database_url.replace("postgresql://", "postgres://"))
    pool.ping()
    pool.close()


def test_a_postgres_that_is_not_there_is_a_passing_trouble_that_tells_no_password() -> None:
    pool = Database("postgresql://ha:s3cret@127.0.0.1:1/ha")
    with pytest.raises(StoreUnavailable) as raised:
        pool.ping()
    assert "s3cret" not in str(raised.value)


def test_a_segment_name_in_use_is_a_conflict(rows: Rows) -> None:
    rows.segment(name="rack")
    with pytest.raises(Conflict, match="rack"):
        rows.segment(name="rack")


def test_a_host_name_in_use_is_a_conflict_in_every_segment(rows: Rows) -> None:
    rows.host(rows.segment(), name="compute1")
    with pytest.raises(Conflict, match="compute1"):
        rows.host(rows.segment(), name="compute1")


def test_the_names_of_a_deleted_segment_and_its_hosts_are_free(rows: Rows) -> None:
    for _ in range(3):
        segment = rows.segment(name="rack")
        rows.host(segment, name="compute1")
        with rows.database.begin() as connection:
            segments.delete(connection, segment.uuid, NOW)
            assert hosts.by_name(connection, "compute1") is None


def test_a_deleted_host_is_not_found(rows: Rows) -> None:
    segment = rows.segment()
    host = rows.host(segment)
    with rows.database.begin() as connection:
        hosts.delete(connection, host.uuid, NOW)
        assert hosts.by_uuid(connection, host.uuid) is None
        with pytest.raises(NotFound):
            hosts.find(connection, segment.uuid, host.uuid)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("new", True), ("running", True), ("error", True), ("failed", False), ("ignored", False), ("finished", False)],
)
def test_a_segment_is_under_recovery_while_a_failure_of_its_hosts_is_open(
    rows: Rows, status: str, expected: bool
) -> None:
    segment = rows.segment()
    rows.notification(source_host_uuid=rows.host(segment).uuid, status=status)
    with rows.database.begin() as connection:
        assert expected is segments.under_recovery(connection, segment.uuid)
        assert not segments.under_recovery(connection, rows.segment().uuid)


def _sweep(table: Any) -> Callable[[Connection], object]:
    return lambda connection: leases.take_overdue(connection, table, NOW, 5, 10)


def _of_instance() -> dict[str, Any]:
    return vars(notification(type=NotificationType.VM, payload=STOPPED | {"instance_uuid": str(uuid4())}))


PAUSE = Pause(uuid="pause", created_at=NOW, scope=Scope.HOST, host_uuid=HostUuid("host"), reason="works", until=NOW)
QUERIES: dict[str, Callable[[Connection], object]] = {
    "outlook": lambda c: outlook.read(c, NOW),
    "list segments": lambda c: segments.page(c, Page(10)),
    "list segments upwards": lambda c: segments.page(c, Page(10, None, (("created_at", "asc"),))),
    "list hosts": lambda c: hosts.page(c, SegmentUuid("segment"), Page(10)),
    "list notifications": lambda c: notifications.page(c, Page(10), None),
    "list notifications by status": lambda c: notifications.page(c, Page(10, None, (), {"status": "new"}), None),
    "list notifications of a host": lambda c: notifications.page(
        c, Page(10, None, (), {"source_host_uuid": "host"}), None
    ),
    "list notifications since": lambda c: notifications.page(c, Page(10), NOW),
    "list vmoves": lambda c: vmoves.page(c, NotificationUuid("notification"), Page(10)),
    "find a segment": lambda c: segments.page(c, Page(1)) and segments.find(c, segments.page(c, Page(1))[0].uuid),
    "find a host by name": lambda c: hosts.by_name(c, "compute1", lock=True),
    "find a host by uuid": lambda c: hosts.by_uuid(c, HostUuid("host")),
    "is under recovery": lambda c: segments.under_recovery(c, SegmentUuid("segment")),
    "fresh evidence": lambda c: evidence.fresh(c, HostUuid("host"), NOW),
    "fences of an attempt": lambda c: fence_attempts.of_attempt(c, NotificationUuid("notification"), 1),
    "pauses over a host": lambda c: pauses.over(c, host(), NOW),
    "held by a pause": lambda c: pauses.held_by(c, PAUSE),
    "what gates see": lambda c: gates.seen(c, host(), notification(), timedelta(0, 60), timedelta(0, 600), NOW),
    "latest decisions": lambda c: gates.latest(c, NotificationUuid("notification")),
    "approvals of a notification": lambda c: approvals.of_notification(c, NotificationUuid("notification")),
    "was fenced": lambda c: fence_attempts.was_fenced(c, HostUuid("host")),
    "find equal reports": lambda c: notifications.like(c, vars(notification()), NOW, 180),
    "find equal reports of an instance": lambda c: notifications.like(c, _of_instance(), NOW, 180),
    "claim a notification": lambda c: notifications.claim(c, "notification", "a", NOW, 45),
    "claim a vmove": lambda c: vmoves.claim(c, "vmove", "a", NOW, 45),
    "start vmoves": lambda c: batches.start_next(c, NotificationUuid("notification"), 5, None, NOW, task()),
    "vmoves of an attempt": lambda c: vmoves.of_attempt(c, NotificationUuid("notification"), 1),
    "close vmoves": lambda c: vmoves.ignore_open(c, NotificationUuid("notification"), "", NOW),
    "vmoves in work or waiting": lambda c: rounds.in_work(c, NotificationUuid("notification")),
    "what is in flight and begins next": lambda c: budgets.in_flight(c, host(), notification(), None, NOW, 10),
    "what is not ready": lambda c: budgets.unready(c, SegmentUuid("segment"), NOW),
    "last ended vmoves": lambda c: rounds.last_ended(c, notification(attempt=2), 5),
    "instances of earlier recoveries": lambda c: vmoves.begun_since_the_last_success(c, notification()),
    "latest tries": lambda c: vmoves.latest_tries(c, "compute1", ["instance"]),
    "reserved hosts": lambda c: hosts.reserved(c, SegmentUuid("segment"), lock=True),
    "claim a sink": lambda c: outbox.claim(c, "one", "a", NOW, 45),
    "messages of a sink": lambda c: outbox.batch(c, "one", NOW, 50),
    "give up messages of a sink": lambda c: outbox.dead_letter_older(c, "one", NOW, "", NOW),
    "sweep notifications": _sweep(tables.notifications),
    "sweep vmoves": _sweep(tables.vmoves),
}


@pytest.fixture(scope="module")
def one_segment(databases: Databases) -> Iterator[Database]:
    """A database with one segment, for those who only read."""
    with databases.fresh() as url:
        pool = Database(url)
        Rows(pool).segment()
        yield pool
        pool.close()


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_that_runs_often_reads_a_whole_table(one_segment: Database, name: str) -> None:
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    with one_segment.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        event.listen(connection, "before_cursor_execute", note)
        QUERIES[name](connection)
        event.remove(connection, "before_cursor_execute", note)
        plans = [
            "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
            for statement, parameters in sent
        ]
    assert plans
    assert [
        plan
        for plan in plans
        if re.search(r"Seq Scan on (notifications|vmoves|hosts|failover_seg|outbox\b|evidence|fence_attempts)", plan)
    ] == []


@pytest.mark.parametrize(
    ("record", "table"),
    [
        (Segment, tables.segments),
        (Host, tables.hosts),
        (Notification, tables.notifications),
        (VMove, tables.vmoves),
        (TaskRow, tables.tasks),
        (Evidence, tables.evidence),
        (SegmentPolicy, tables.segment_policies),
        (FenceAttempt, tables.fence_attempts),
        (Pause, tables.pauses),
        (Approval, tables.approvals),
        (GateDecision, tables.gate_decisions),
    ],
)
def test_a_record_has_the_fields_that_its_table_has_columns(record: Any, table: Table) -> None:
    assert {field.name for field in fields(record)} == set(table.c.keys())


def test_facts_that_a_newer_version_wrote_are_read_without_what_is_new(rows: Rows) -> None:
    notification = rows.notification()
    rows.vmoves(notification, "a")
    with rows.database.begin() as connection:
        connection.execute(text("""UPDATE vmoves SET facts = '{"vm_state": "stopped", "invented_later": 1}'"""))
        (move,) = vmoves.of_attempt(connection, notification.notification_uuid, 0)
        assert move.facts == InstanceFacts(vm_state="stopped")
