"""What runs often reads no more where very much has ended long ago."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from instance_ha.models.enums import NotificationStatus
from instance_ha.models.uuids import HostUuid, SegmentUuid
from instance_ha.store import (
    ended,
    evidence,
    gates,
    host_recoveries,
    leases,
    measures,
    notifications,
    outbox,
    overview,
    returns,
    schema,
)
from instance_ha.store.database import Database
from instance_ha.store.paging import Page
from instance_ha_simulator.databases import Databases
from sqlalchemy import Connection, text

from tests.looks import rows_read
from tests.unit.build import NOW, STOPPED, host, notification

HOST, FLAPPING = HostUuid("host1"), HostUuid("flapping")
LONG_AGO = NOW - timedelta(days=300)
CRASHING = "4b4b0b3e-6a8b-4b2e-9d5d-0d8a4e3f6a51"
WELL = {NotificationStatus.FINISHED, NotificationStatus.IGNORED}
_PAST = """
    INSERT INTO notifications (notification_uuid, created_at, generated_time, source_host_uuid, type, payload, status,
        counted)
    SELECT 'n' || n, :now - n * interval '1 h', :now - n * interval '1 h', 'host' || n % 500, 'VM', '{}', 'finished',
        true
    FROM generate_series(1, 20000) n;
    INSERT INTO notifications (notification_uuid, created_at, generated_time, source_host_uuid, type, payload,
        instance_uuid, status, counted)
    SELECT 'f' || n, :now - n * interval '1 h', :now - n * interval '1 h', 'flapping',
        CASE n % 2 WHEN 0 THEN 'VM' ELSE 'COMPUTE_HOST' END, '{"event": "STARTED"}',
        CASE n % 2 WHEN 0 THEN :crashing END, 'finished', true
    FROM generate_series(1, 20000) n;
    INSERT INTO returns (uuid, created_at, host_uuid, status, move_home, ended_at)
    SELECT 'r' || n, :now, 'host' || n % 500, 'finished', true, :now FROM generate_series(1, 20000) n;
    INSERT INTO evidence (host_uuid, kind, verdict, source, seen_at, valid_until, detail)
    SELECT 'host' || n % 500, 'node', 'dead', 'k', :now - n * interval '1 h', :now, '{}'
    FROM generate_series(1, 20000) n;
    INSERT INTO outbox (event_id, created_at, event_type, subject, body, sink, state, done_at)
    SELECT 'e' || n, :now, 't', 's', '{}', 'one', 'sent', :now FROM generate_series(1, 20000) n;
"""


def _equal(connection: Connection, kind: str, payload: dict[str, str]) -> object:
    values = {"source_host_uuid": FLAPPING, "type": kind, "payload": payload, "generated_time": NOW}
    return notifications.like(connection, values, NOW, 180)


QUERIES: dict[str, Callable[[Connection], object]] = {
    "expired recoveries": lambda c: notifications.take_expired(c, NOW, NOW),
    "equal reports": lambda c: _equal(c, "COMPUTE_HOST", STOPPED),
    "equal reports of an instance": lambda c: _equal(c, "VM", STOPPED | {"instance_uuid": CRASHING}),
    "gauges": lambda c: measures.measure(c, NOW),
    "what has ended lately": lambda c: overview.ended_recoveries(c, WELL, NOW - timedelta(days=1), 10),
    "returns of a host": lambda c: returns.page(c, HOST, None, 10),
    "what a return has not settled": lambda c: returns.unsettled(c, HOST),
    "evidence of a host": lambda c: evidence.page(c, HOST, None, 10),
    "events that are left": outbox.counts,
    "events for nobody": lambda c: outbox.dead_letter_unknown_sinks(c, [], NOW, NOW),
}


@pytest.fixture(scope="module")
def long_used(databases: Databases) -> Iterator[Database]:
    """A database with a past, for those who only read."""
    with databases.fresh() as url:
        pool = Database(url)
        with pool.begin() as connection:
            for statement in _PAST.strip().split(";")[:-1]:
                connection.execute(text(statement), {"now": NOW, "crashing": CRASHING})
            connection.execute(text("ANALYZE"))
        yield pool
        pool.close()


@pytest.mark.parametrize("name", QUERIES)
def test_what_has_ended_long_ago_is_not_read_again(long_used: Database, name: str) -> None:
    with long_used.begin() as connection:
        before = rows_read(connection)
        QUERIES[name](connection)
        assert rows_read(connection) - before < 500


_STORM = """
    INSERT INTO notifications (notification_uuid, created_at, generated_time, source_host_uuid, type, payload, status,
        due_at)
    SELECT 's' || n, :then, :then, 'storm' || n, 'COMPUTE_HOST', '{}', 'error', :then FROM generate_series(1, 2000) n
"""
NEED: dict[str, Callable[[Connection], object]] = {
    "notifications_open": QUERIES["equal reports"],
    "notifications_due": lambda c: leases.take_overdue(c, schema.notifications, LONG_AGO, 5, 10),
    "notifications_held": lambda c: notifications.held_in_segment(c, SegmentUuid("segment")),
    "notifications_host": lambda c: host_recoveries.last(c, HOST),
    "notifications_instance": lambda c: notifications.count_finished(c, {"instance_uuid": str(uuid4())}, LONG_AGO),
    "notifications_admitted": lambda c: gates.seen(c, host(), notification(), timedelta(1), timedelta(1), NOW),
    "notifications_list": lambda c: notifications.page(c, Page(10), None),
    "notifications_status": lambda c: notifications.page(c, Page(10, None, (), {"status": "failed"}), None),
    "notifications_generated": lambda c: notifications.page(c, Page(10), NOW),
    "notifications_ended": QUERIES["what has ended lately"],
    "notifications_uncounted": lambda c: ended.count(c, NOW, 10),
}


@pytest.mark.parametrize("index", sorted(str(one.name) for one in schema.notifications.indexes if not one.unique))
def test_each_index_of_notifications_has_a_query_that_reads_much_more_without_it(
    long_used: Database, index: str
) -> None:
    with long_used.begin() as connection:
        connection.execute(text(_STORM), {"then": NOW - timedelta(days=200)})
        connection.execute(text("ANALYZE notifications"))
        reads = []
        for change in ("SELECT 1", f"DROP INDEX {index}"):
            connection.execute(text(change))
            before = rows_read(connection)
            NEED[index](connection)
            reads.append(rows_read(connection) - before)
        connection.rollback()
    assert reads[1] > 1000 + reads[0]
