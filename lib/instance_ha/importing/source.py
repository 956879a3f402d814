"""The database of an existing Masakari, MySQL, MariaDB or PostgreSQL: only ever read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, create_engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from instance_ha.masking import MASK
from instance_ha.models.errors import Misconfigured, StoreUnavailable
from instance_ha.store.database import driver_url

NEEDED = ("failover_segments", "hosts", "notifications")
TABLES = (*NEEDED, "vmoves")  # in this order; vmoves came with 2023.1

Row = Mapping[str, Any]


class OldDatabase:
    """One snapshot of the old database: what changes there meanwhile is for the next import."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found = set(inspect(connection).get_table_names())
        missing = [table for table in NEEDED if table not in self._found]
        if missing:
            raise Misconfigured(f"this is not the database of a Masakari: it has no table {', '.join(missing)}")

    def batches(self, table: str, size: int) -> Iterator[list[Row]]:
        """Read a table by ascending id; one that this release did not have is empty."""
        if table not in self._found:
            return
        # A star, because older releases lack columns; the table is one of ours, no input.
        query = text(f"SELECT * FROM {table} WHERE id > :after ORDER BY id LIMIT :size")  # noqa: S608
        after = -1
        while rows := list(self._connection.execute(query, {"after": after, "size": size}).mappings()):
            yield [dict(row) for row in rows]
            after = rows[-1]["id"]

    def running(self) -> list[str]:
        """Name the notifications that an engine works on."""
        query = text("SELECT notification_uuid FROM notifications WHERE status = 'running' AND deleted = 0 ORDER BY id")
        return [str(uuid) for uuid in self._connection.execute(query).scalars()]


@contextmanager
def opened(address: str) -> Iterator[OldDatabase]:
    """Connect, for reading only; a user that may SELECT suffices.

    Raises:
        Misconfigured: the URL is none, its driver is missing, or the database is not that of a Masakari.
        StoreUnavailable: the database does not answer, or refuses us.

    """
    url = _url(address)
    try:
        engine = create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    except (ImportError, SQLAlchemyError, ValueError) as error:
        raise Misconfigured(f"the old database cannot be opened: {_plain(error, url)}") from None
    try:
        with engine.connect() as connection:
            if url.get_backend_name() == "postgresql":
                connection.execute(text("SET TRANSACTION READ ONLY"))
            yield OldDatabase(connection)
    except SQLAlchemyError as error:
        # Errors of our own store have become StoreUnavailable before they come here.
        raise StoreUnavailable(f"the old database cannot be read: {_plain(error, url)}") from None


def _url(address: str) -> URL:
    try:
        url = make_url(address)
        backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()
    except (ArgumentError, ValueError):
        raise Misconfigured("the old database: not a URL; give it as `connection` in masakari.conf has it") from None
    if backend == "postgresql":
        return driver_url(url.set(drivername="postgresql").render_as_string(hide_password=False))
    if backend in ("mysql", "mariadb"):
        return url.set(drivername="mysql+pymysql")
    raise Misconfigured(f"the old database: {url.drivername} is neither MySQL, MariaDB nor PostgreSQL")


def _plain(error: Exception, url: URL) -> str:
    """Say what is wrong in one line, without the password."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed (the extra `mysql` of instance-ha brings it)"
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    return said.replace(str(url.password), MASK) if url.password else said
