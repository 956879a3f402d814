"""The connection pool of one function instance."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic

from psycopg import Error
from sqlalchemy import URL, Connection, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from instance_ha.models.errors import StoreUnavailable
from instance_ha.store.cursor import Cursor


def driver_url(url: str) -> URL:
    """Name our driver in a URL as people write it."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+psycopg")


# Asked of each connection before it is used: whether its server takes writes, and what time it is there.
_LENT = (
    "SELECT NOT pg_is_in_recovery() AND NOT current_setting('default_transaction_read_only')::boolean,"
    " extract(epoch FROM clock_timestamp())"
)
# How long a transaction may wait, and that times are in UTC. Set in each: behind a pgbouncer that pools transactions,
# what is set for a session would go to others.
_LIMITS = (
    "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '30s';"
    " SET LOCAL idle_in_transaction_session_timeout = '60s'; SET LOCAL TIME ZONE 'UTC'"
)
# One string each, so that all of it is one round trip. The question comes last: asked first, it would be a part of the
# transaction already, whose isolation could not be set any more.
_BEGIN = f"BEGIN; {_LIMITS}; {_LENT}"
_BEGIN_READING = f"BEGIN READ ONLY; {_LIMITS}; {_LENT}"
_BEGIN_READING_ONE_MOMENT = f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {_LIMITS}; {_LENT}"
_CARRIED_ON = 10.0  # seconds
_CONNECT = {
    "target_session_attrs": "read-write",  # of several hosts the primary; none is better than one that takes no writes
    "connect_timeout": "5",
    "tcp_user_timeout": "15000",  # ms; a server that vanished with its address answers nothing at all
    "application_name": "instance-ha",
}
_READ_ONLY = "25006"
_REASONS = {
    "55P03": "a row stays locked by another transaction",
    "57014": "a statement took too long",
    "40P01": "two transactions blocked each other",
    _READ_ONLY: "it takes no writes now",
}


class Database:
    """Postgres, behind a small pool that lends only connections to a server that takes writes."""

    def __init__(self, url: str, pool_size: int = 4) -> None:
        given = driver_url(url)
        self._engine = create_engine(
            given,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=20,
            isolation_level="AUTOCOMMIT",  # transactions are begun by us
            # No prepared statements: they do not survive a pgbouncer that pools transactions.
            connect_args={"prepare_threshold": None, "cursor_factory": Cursor}
            | {k: v for k, v in _CONNECT.items() if k not in given.query},
        )
        self._size = pool_size
        self.statements = 0
        event.listen(self._engine, "before_cursor_execute", self._count)
        # What Postgres' clock said, and when by the monotonic one.
        self._clock_read: tuple[datetime, float] | None = None

    def _count(self, *_: object) -> None:
        self.statements += 1

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction, committed at the end of the block.

        Raises:
            StoreUnavailable: Postgres does not answer, takes no writes, makes us wait for too long, or went away
                meanwhile; nothing was committed, or (when it went away during the commit) all of it.

        """
        with self._transaction() as connection:
            try:
                yield connection
            except InternalError as error:
                if _state(error) != _READ_ONLY:
                    raise
                connection.invalidate()
                raise _unavailable(error) from error

    @contextmanager
    def _transaction(self, begin: str = _BEGIN) -> Iterator[Connection]:
        try:
            with self._lend(begin) as connection, connection.begin():
                yield connection
        except (OperationalError, InterfaceError) as error:
            raise _unavailable(error) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise StoreUnavailable("the connection to Postgres broke") from error
            raise

    def _lend(self, begin: str) -> Connection:
        """Lend a connection that has begun; one that is broken, or whose server is no primary any more, is replaced."""
        for _ in range(self._size + 1):
            connection = self._connect()
            if self._has_begun(connection, begin):
                return connection
            connection.invalidate()
            connection.close()
        raise StoreUnavailable("Postgres takes no writes now")

    def _connect(self) -> Connection:
        try:
            return self._engine.connect()
        except PoolTimeout as error:
            raise StoreUnavailable("all connections to Postgres are in use") from error
        except (OperationalError, InterfaceError) as error:
            raise _unavailable(error) from error

    def _has_begun(self, connection: Connection, begin: str) -> bool:
        """Ask the driver itself: several statements at once are none of SQLAlchemy's business."""
        driver, asked = connection.connection.driver_connection, monotonic()
        assert driver is not None
        try:
            answers = driver.execute(begin)
            while answers.nextset():
                pass
            takes_writes, seconds = answers.fetchone()
        except Error:
            return False
        self._clock_read = datetime.fromtimestamp(float(seconds), UTC), (asked + monotonic()) / 2
        return bool(takes_writes)

    @contextmanager
    def read(self, *, one_moment: bool = False) -> Iterator[Connection]:
        """Open a transaction that cannot write; with ``one_moment`` all of it sees what there was at one moment.

        Raises:
            StoreUnavailable: Postgres does not answer.

        """
        with self._transaction(_BEGIN_READING_ONE_MOMENT if one_moment else _BEGIN_READING) as connection:
            yield connection

    def now(self) -> datetime:
        """Return the time of Postgres' clock, aware, in UTC.

        It is read with each connection that is lent, and carried on for some seconds by the machine's monotonic clock.

        Raises:
            StoreUnavailable: Postgres does not answer.

        """
        if self._clock_read is None or monotonic() > self._clock_read[1] + _CARRIED_ON:
            self._lend(_LENT).close()
        assert self._clock_read is not None
        time, at = self._clock_read
        return time + timedelta(seconds=monotonic() - at)

    def ping(self) -> None:
        """Ask Postgres whether it answers and takes writes.

        Raises:
            StoreUnavailable: it does not.

        """
        with self.begin() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _unavailable(error: DBAPIError) -> StoreUnavailable:
    """Say what is wrong, without the text of the driver: it names hosts and statements."""
    reason = _REASONS.get(_state(error))
    return StoreUnavailable(f"Postgres: {reason}" if reason else f"Postgres does not answer: {type(error).__name__}")
