"""Fresh databases for simulations, on a Postgres that is started for them.

One that is as it was is lent again: to copy one takes longer than most of what is done with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from uuid import uuid4

import psycopg
from instance_ha.store import migrate
from instance_ha.store.schema import metadata

from instance_ha_simulator.embedded import EmbeddedPostgres, PostgresError
from instance_ha_simulator.files import temporary_state_dir
from instance_ha_simulator.postgres import Postgres

__all__ = ["EMPTY", "Databases", "PostgresError", "databases", "embedded"]

_State = list[tuple[object, ...]]
_TABLES = [table.name for table in reversed(metadata.sorted_tables)]  # what refers to a row goes before it
_NUMBERED = [table.name for table in metadata.sorted_tables if "id" in table.c]
EMPTY = (
    "; ".join(f"DELETE FROM {table}" for table in _TABLES)  # noqa: S608 no foreign words
    + "; SELECT "
    + ", ".join(f"setval(pg_get_serial_sequence('{table}', 'id'), 1, false)" for table in _NUMBERED)
)
_PATIENCE = (0.0, 0.02, 0.1, 0.3)  # seconds; a closed connection is still listed for a moment
_CATALOGS = ("pg_attribute", "pg_class", "pg_constraint", "pg_namespace", "pg_proc", "pg_trigger")
# What any change of the schema, of a right or a setting changes, and its connections.
_STATE = " UNION ALL ".join(
    (
        *(f"SELECT sum(hashtext(xmin::text)) FROM {catalog}" for catalog in _CATALOGS),  # noqa: S608 no foreign words
        "SELECT sum(hashtext(setconfig::text)) FROM pg_db_role_setting",
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'",
    )
)

# A pool that its user has left open, and uses no more; what has an open transaction is not ended.
_END_IDLE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND state = 'idle'"""


def _state(connection: psycopg.Connection[tuple[object, ...]], pause: float = 0.0) -> _State:
    sleep(pause)
    return connection.execute(_STATE).fetchall()


@contextmanager
def embedded() -> Iterator[Postgres]:
    """Start a Postgres of our own, and remove it with its data after.

    Raises:
        PostgresError: it does not start.

    """
    with temporary_state_dir() as folder, EmbeddedPostgres(folder, durable=False) as server:
        yield Postgres(server.dsn, server.stop, server.start, server.socket)


class Databases:
    """Lends databases with our schema on a server."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._template = f"template_{uuid4().hex[:8]}"
        self._idle: list[tuple[str, _State]] = []  # their names, and how they were
        try:
            server.run(f"CREATE DATABASE {self._template}")
        except psycopg.Error as error:
            raise PostgresError(f"no database can be made: {' '.join(str(error).split())}") from None
        migrate.upgrade(server.named(self._template))

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Lend a database with nothing in it; the value is its URL."""
        name, state = self._idle.pop() if self._idle else self._copied()
        yield self.server.named(name)
        if self._is_as_it_was(name, state):
            self._idle.append((name, state))
        else:
            self.server.drop(name)

    def _copied(self) -> tuple[str, _State]:
        name = f"simulation_{uuid4().hex[:12]}"
        self.server.copy(self._template, name)
        with self.server.connected(name) as connection:
            return name, _state(connection)

    def _is_as_it_was(self, name: str, state: _State) -> bool:
        """Empty it, and say whether it has the same schema, and nobody works with it."""
        try:
            with self.server.connected(name) as connection:
                connection.execute(f"SET lock_timeout = '1s'; {_END_IDLE}; {EMPTY}")
                return any(_state(connection, pause) == state for pause in _PATIENCE)
        except psycopg.Error:
            return False

    def close(self) -> None:
        """Drop what is left, and what it is copied from."""
        for name in (*(name for name, _ in self._idle), self._template):
            self.server.drop(name)


@contextmanager
def databases(url: str | None = None) -> Iterator[Databases]:
    """Make databases on the server of ``url``, whose user may do so, or on an embedded one.

    Raises:
        PostgresError: the embedded one does not start, or no database can be made on the other.

    """
    if url is None:
        with embedded() as server:
            yield Databases(server)
        return
    made = Databases(Postgres(url))
    try:
        yield made
    finally:
        made.close()
