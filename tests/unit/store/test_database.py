"""The pool: what it does when Postgres fails over, when a lock is forgotten, when a statement takes too long."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from instance_ha.models.errors import StoreUnavailable
from instance_ha.store import segments
from instance_ha.store.database import Database
from instance_ha.store.paging import Page
from instance_ha_simulator.postgres import Postgres
from sqlalchemy import make_url, text
from sqlalchemy.exc import InternalError

from tests.unit.build import NOW
from tests.unit.store.conftest import Rows


def demoted(database: Database, connections: int) -> None:
    """Leave the pool with connections that take no writes for as long as they live, as after a failover."""
    together = threading.Barrier(connections)

    def demote(_: int) -> None:
        with database.begin() as connection:
            connection.execute(text("SET default_transaction_read_only = on"))
            together.wait()

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(demote, range(connections)))


@contextmanager
def read_only(postgres: Postgres, url: str) -> Iterator[None]:
    """Let every new session of a database be read-only."""
    name = make_url(url).database
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    yield
    postgres.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def test_right_after_a_transaction_the_time_is_known_without_asking(rows: Rows) -> None:
    with rows.database.begin() as connection:
        asked = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    before = rows.database.statements
    assert abs((rows.database.now() - asked).total_seconds()) < 5
    rows.database.close()
    known = rows.database.now()
    assert abs((known - asked).total_seconds()) < 5
    assert rows.database.statements == before


def test_the_time_of_a_postgres_that_is_away_is_not_known() -> None:
    with pytest.raises(StoreUnavailable):
        Database("postgresql://ha@127.0.0.1:1/ha").now()


def test_connections_to_a_demoted_primary_are_replaced_without_anybody_noticing(rows: Rows) -> None:
    demoted(rows.database, 4)
    for _ in range(8):
        rows.segment()
    rows.database.ping()


def test_while_no_server_takes_writes_we_are_not_ready_and_afterwards_we_are(
    rows: Rows, postgres: Postgres, database_url: str
) -> None:
    demoted(rows.database, 4)
    with read_only(postgres, database_url):
        for _ in range(5):
            with pytest.raises(StoreUnavailable):
                rows.database.ping()
            with pytest.raises(StoreUnavailable):
                rows.segment()
    rows.database.ping()
    rows.segment()


def test_a_primary_that_is_demoted_in_the_middle_of_a_transaction_is_a_passing_trouble(rows: Rows) -> None:
    with pytest.raises(StoreUnavailable, match="takes no writes"), rows.database.begin() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("DELETE FROM vmoves"))
    rows.segment()


def test_to_write_where_only_reading_is_meant_is_a_bug_and_no_passing_trouble(rows: Rows) -> None:
    with pytest.raises(InternalError), rows.database.read() as connection:
        connection.execute(text("DELETE FROM vmoves"))


def test_a_forgotten_row_lock_and_as_many_writers_as_connections_leave_lists_answered(
    rows: Rows, database_url: str
) -> None:
    segment, forgetful = rows.segment(), Database(database_url)

    def change(_: int) -> str:
        try:
            with rows.database.begin() as connection:
                segments.change(connection, segment.uuid, {"description": "new"}, NOW)
        except StoreUnavailable as error:
            return str(error)
        return "changed"

    with forgetful.begin() as connection, ThreadPoolExecutor(8) as pool:
        segments.find(connection, segment.uuid, lock=True)
        writers = [pool.submit(change, number) for number in range(8)]
        with rows.database.begin() as reader:
            assert segments.page(reader, Page(10)) == [segment]
        assert {writer.result() for writer in writers} == {"Postgres: a row stays locked by another transaction"}
    forgetful.close()


def test_a_statement_that_takes_too_long_is_a_passing_trouble(rows: Rows) -> None:
    with pytest.raises(StoreUnavailable, match="took too long"), rows.database.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = '10ms'"))
        connection.execute(text("SELECT pg_sleep(60)"))


@pytest.mark.parametrize("name", ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"])
def test_every_transaction_has_limits_and_leaves_none_to_others_behind_a_pooler(database: Database, name: str) -> None:
    with database.begin() as connection:
        assert connection.execute(text(f"SHOW {name}")).scalar_one() != "0"
        connection.execute(text("COMMIT"))
        assert connection.execute(text(f"SHOW {name}")).scalar_one() == "0"


def test_what_the_url_says_of_the_connection_counts(database_url: str, postgres: Postgres) -> None:
    anywhere = Database(f"{database_url}{'&' if '?' in database_url else '?'}target_session_attrs=any")
    with read_only(postgres, database_url), pytest.raises(StoreUnavailable, match="takes no writes"):
        anywhere.ping()
    anywhere.close()


def test_the_columns_of_a_result_are_described_as_psycopg_does(database: Database) -> None:
    with database.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        result = driver.execute("SELECT 1 AS one, 'two' AS \"zwölf\"")
        assert [column[:2] for column in result.description] == [("one", 23), ("zwölf", 25)]
        assert len(result.description) == 2
        assert driver.execute("SET LOCAL work_mem = '4MB'").description is None
