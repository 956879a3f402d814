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

_BEGIN_READING = "BEGIN READ ONLY"
_BEGIN_READING_ONE_MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class LastingDatabase(SimulatedDatabase):
    """One that many plays use, one after the other: what guards a pool against a server that goes away is left out."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._idle: list[Connection] = []

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        """Lend a connection, again and again the same: to take one from the pool takes as long as a statement."""
        connection = self._idle.pop() if self._idle else self._prepared()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def _prepared(self) -> Connection:
        """Connect to a server that parses and plans a statement once, not each time: no pgbouncer is in between."""
        connection = self._engine.connect()
        connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        _driver(connection).prepare_threshold = 1
        return connection

    @contextmanager
    def _transaction(self, begin: str = "BEGIN") -> Iterator[Connection]:
        """Tell Postgres itself: what is above it takes longer than Postgres."""
        with self._lent() as connection:
            server = _driver(connection).pgconn
            _must(server.exec_(begin.encode()))
            try:
                yield connection
            except BaseException:
                _must(server.exec_(b"ROLLBACK"))
                raise
            _must(server.exec_(b"COMMIT"))

    @contextmanager
    def read(self, *, one_moment: bool = False) -> Iterator[Connection]:
        """Open a transaction that cannot write."""
        self._come()
        with self._transaction(_BEGIN_READING_ONE_MOMENT if one_moment else _BEGIN_READING) as connection:
            yield connection

    def forget_broken(self) -> None:
        """Forget the connections to a server that has been restarted since."""
        idle, self._idle = self._idle, []
        for connection in idle:
            if _driver(connection).pgconn.exec_(b"").status == ExecStatus.EMPTY_QUERY:
                self._idle.append(connection)
            else:
                connection.invalidate()
                connection.close()

    def close(self) -> None:
        """Close all connections."""
        for connection in self._idle:
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
    stage.database.join(Scheduler(), [])
    stage.database.forget_broken()
    with stage.database.begin() as connection:
        connection.exec_driver_sql(EMPTY)
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS standby CASCADE")
