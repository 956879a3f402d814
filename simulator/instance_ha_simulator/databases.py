"""Fresh databases for simulations, on a Postgres that is started for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from instance_ha.store import migrate

from instance_ha_simulator.embedded import EmbeddedPostgres, PostgresError
from instance_ha_simulator.files import temporary_state_dir
from instance_ha_simulator.postgres import Postgres

__all__ = ["Databases", "PostgresError", "databases", "embedded"]


@contextmanager
def embedded() -> Iterator[Postgres]:
    """Start a Postgres of our own, and remove it with its data after.

    Raises:
        PostgresError: it does not start.

    """
    with temporary_state_dir() as folder, EmbeddedPostgres(folder, durable=False) as server:
        yield Postgres(server.dsn, server.stop, server.start)


class Databases:
    """Makes databases with our schema on a server."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._template = f"template_{uuid4().hex[:8]}"
        try:
            server.run(f"CREATE DATABASE {self._template}")
        except psycopg.Error as error:
            raise PostgresError(f"no database can be made: {' '.join(str(error).split())}") from None
        migrate.upgrade(server.named(self._template))

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Make a database, and drop it after; the value is its URL."""
        name = f"simulation_{uuid4().hex[:12]}"
        self.server.copy(self._template, name)
        yield self.server.named(name)
        self.server.drop(name)

    def close(self) -> None:
        """Drop what is left: the database that the others are copies of."""
        self.server.drop(self._template)


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
