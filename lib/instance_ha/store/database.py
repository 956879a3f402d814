"""The connection pool of one function instance."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from instance_ha.models.errors import StoreUnavailable


def driver_url(url: str) -> URL:
    """Name our driver in a URL as people write it."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+psycopg")


def _tell_utc(connection: Any, _record: object) -> None:
    """Have times told in UTC, whatever the server's time zone is; a pooler in between keeps this setting."""
    connection.execute("SET TIME ZONE 'UTC'")
    connection.commit()


class Database:
    """Postgres, behind a small pool that checks a connection before it lends it."""

    def __init__(self, url: str, pool_size: int = 4) -> None:
        self._engine = create_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=20,
            # No prepared statements: they do not survive a pgbouncer that pools transactions.
            connect_args={"prepare_threshold": None, "connect_timeout": 5, "application_name": "instance-ha"},
        )
        self.statements = 0
        event.listen(self._engine, "before_cursor_execute", self._count)
        event.listen(self._engine, "connect", _tell_utc)

    def _count(self, *_: object) -> None:
        self.statements += 1

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction, committed at the end of the block.

        Raises:
            StoreUnavailable: Postgres does not answer, or went away meanwhile; nothing was committed,
                or (when it went away during the commit) all of it.

        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise StoreUnavailable(f"Postgres does not answer: {type(error).__name__}") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise StoreUnavailable("the connection to Postgres broke") from error
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that cannot write.

        Raises:
            StoreUnavailable: Postgres does not answer.

        """
        with self.begin() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            yield connection

    def now(self) -> datetime:
        """Ask for the time of Postgres' clock, aware, in UTC.

        Raises:
            StoreUnavailable: Postgres does not answer.

        """
        with self.begin() as connection:
            time: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return time

    def ping(self) -> None:
        """Ask Postgres for a sign of life.

        Raises:
            StoreUnavailable: there is none.

        """
        with self.begin() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
