"""What runs often reads no more where very much has ended long ago."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from instance_ha.models.enums import NotificationStatus
from instance_ha.models.uuids import HostUuid
from instance_ha.store import evidence, measures, notifications, outbox, overview, returns
from instance_ha.store.database import Database
from instance_ha_simulator.databases import Databases
from sqlalchemy import Connection, text

from tests.looks import rows_read
from tests.unit.build import NOW

HOST = HostUuid("host1")
WELL = {NotificationStatus.FINISHED, NotificationStatus.IGNORED}
_PAST = """
    INSERT INTO notifications (notification_uuid, created_at, generated_time, source_host_uuid, type, payload, status,
        counted)
    SELECT 'n' || n, :now - n * interval '1 h', :now, 'host' || n % 500, 'VM', '{}', 'finished', true
    FROM generate_series(1, 20000) n;
    INSERT INTO returns (uuid, created_at, host_uuid, status, move_home, ended_at)
    SELECT 'r' || n, :now, 'host' || n % 500, 'finished', true, :now FROM generate_series(1, 20000) n;
    INSERT INTO evidence (host_uuid, kind, verdict, source, seen_at, valid_until, detail)
    SELECT 'host' || n % 500, 'node', 'dead', 'k', :now - n * interval '1 h', :now, '{}'
    FROM generate_series(1, 20000) n;
    INSERT INTO outbox (event_id, created_at, event_type, subject, body, sink, state, done_at)
    SELECT 'e' || n, :now, 't', 's', '{}', 'one', 'sent', :now FROM generate_series(1, 20000) n;
"""
QUERIES: dict[str, Callable[[Connection], object]] = {
    "expired recoveries": lambda c: notifications.take_expired(c, NOW, NOW),
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
                connection.execute(text(statement), {"now": NOW})
            connection.execute(text("ANALYZE"))
        yield pool
        pool.close()


@pytest.mark.parametrize("name", QUERIES)
def test_what_has_ended_long_ago_is_not_read_again(long_used: Database, name: str) -> None:
    with long_used.begin() as connection:
        before = rows_read(connection)
        QUERIES[name](connection)
        assert rows_read(connection) - before < 500
