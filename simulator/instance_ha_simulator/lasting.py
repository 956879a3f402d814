"""A database that many plays use, one after the other: to copy one for each takes as long as a short play."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from instance_ha.metrics.recorder import Recorder
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection

from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import ManualClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.database import SimulatedDatabase, Stage
from instance_ha_simulator.databases import EMPTY
from instance_ha_simulator.scheduler import Scheduler

_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# A statement is parsed and planned once, however often it is executed: no pgbouncer is in between.
# Who waits for a lock is told so, as in store/database.py.
_PREPARED = "SET TIME ZONE 'UTC'; SET plan_cache_mode = force_generic_plan; SET lock_timeout = '5s'"
_READER, _WRITER = "SET default_transaction_read_only = on", "BEGIN"  # what they are told then


class LastingDatabase(SimulatedDatabase):
    """One that many plays use, one after the other: what guards a pool against a server that goes away is left out."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._writers: list[Connection] = []
        self._readers: list[Connection] = []

    @contextmanager
    def _lent(self, idle: list[Connection], told: str) -> Iterator[Connection]:
        """Lend a connection, again and again the same: to take one from the pool takes as long as a statement."""
        connection = idle.pop() if idle else self._connected(told)
        try:
            yield connection
        finally:
            idle.append(connection)

    def _connected(self, told: str) -> Connection:
        connection = self._engine.connect()
        driver = _driver(connection)
        driver.execute(_PREPARED)
        driver.execute(told)
        driver.prepare_threshold, driver.prepared_max = 0, None
        return connection

    @contextmanager
    def _transaction(self, begin: str = "") -> Iterator[Connection]:
        """Tell Postgres itself: what is above it takes longer than Postgres.

        The next transaction is begun as this one ends, which saves asking once more. It sees what is committed later
        and holds nothing until its first statement.
        """
        with self._lent(self._writers, _WRITER) as connection:
            server = _driver(connection).pgconn
            if begin:
                _must(server.exec_(begin.encode()))
            try:
                yield connection
            except BaseException:
                _must(server.exec_(b"ROLLBACK; BEGIN"))
                raise
            _must(server.exec_(b"COMMIT; BEGIN"))

    @contextmanager
    def read(self, *, one_moment: bool = False) -> Iterator[Connection]:
        """Open a transaction that cannot write; unless it is of one moment, each statement may be one of its own."""
        self._come()
        with (
            self._only_one(),
            self._transaction(_ONE_MOMENT) if one_moment else self._lent(self._readers, _READER) as connection,
        ):
            yield connection

    def empty(self) -> None:
        """Delete all rows, and the standby. The driver is not told: after a DROP it would forget what is prepared."""
        self.forget_broken()
        with self._transaction() as connection:
            _must(_driver(connection).pgconn.exec_(f"{EMPTY}; DROP SCHEMA IF EXISTS standby CASCADE".encode()))

    def forget_broken(self) -> None:
        """Forget the connections to a server that has been restarted since."""
        for idle in (self._writers, self._readers):
            for connection in list(idle):
                if _driver(connection).pgconn.exec_(b"").status != ExecStatus.EMPTY_QUERY:
                    idle.remove(connection)
                    connection.invalidate()
                    connection.close()

    def close(self) -> None:
        """Close all connections."""
        for connection in (*self._writers, *self._readers):
            connection.close()
        super().close()

    def ping(self) -> None:
        """Answer, unless it is away."""
        self._come()


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _must(result: PGresult) -> None:
    assert result.status == ExecStatus.COMMAND_OK, result.error_message


def make_stage(url: str, metrics: Recorder | None = None) -> Stage:
    """Make what many plays can use: a database with our schema, and nothing in it, and a cloud."""
    cloud = Cloud(ManualClock())
    return Stage(LastingDatabase(url), cloud, create_app(cloud), metrics)


def clear(stage: Stage) -> None:
    """Forget all that was stored; the first row of each table is number 1 again."""
    assert isinstance(stage.database, LastingDatabase)
    stage.database.join(Scheduler(), [])
    stage.database.empty()
