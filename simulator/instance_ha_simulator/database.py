"""The Postgres of a simulation: a real one in virtual time, which breaks when a scenario says so."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.errors import StoreUnavailable
from instance_ha.store.database import Database
from instance_ha.store.schema import metadata
from sqlalchemy import Connection, text

from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.scheduler import KilledError, Scheduler

working = ContextVar("working", default=False)  # whether an invocation runs, and no test or operator


@dataclass(frozen=True)
class Stage:
    """What is dear to make, and can be used by many simulations, one after the other."""

    database: "SimulatedDatabase"
    cloud: Cloud
    app: Flask
    metrics: Recorder | None  # None: each has its own


class SimulatedDatabase(Database):
    """A real Postgres whose clock tells virtual time.

    ``faults``, each of the ``nth`` transaction of all invocations that may write: `cut` (the connection breaks before
    the commit), `cut_in_commit` (afterwards, so that nobody knows), `kill` and `kill_after` (of the invocation).
    ``pauses``: how likely an invocation stands still before a transaction, for up to ``PAUSE`` seconds.
    """

    PAUSE = 3.0

    def __init__(self, url: str) -> None:
        super().__init__(url, 8)
        self._in_transaction: set[int] = set()  # threads
        self._transactions = 0

    def join(self, scheduler: Scheduler, faults: list[dict[str, Any]], pauses: float = 0.0) -> None:
        """Become a part of a simulation."""
        self._scheduler, self._pauses = scheduler, pauses
        self._faults = {fault["nth"]: fault["do"] for fault in faults}
        self._transactions = 0
        self._away_until: datetime | None = None

    @property
    def is_away(self) -> bool:
        """Whether it answers nobody now."""
        return self._away_until is not None and self._scheduler.now() < self._away_until

    def go_away(self, until: datetime) -> None:
        """Answer nobody until then."""
        self._away_until = until

    def fall_behind(self) -> None:
        """Let the asynchronous standby get no commit any more from now on."""
        with super().begin() as connection:
            connection.execute(text("CREATE SCHEMA standby"))
            for table in metadata.sorted_tables:
                connection.execute(text(f"CREATE TABLE standby.{table.name} AS TABLE {table.name}"))

    def promote_standby(self) -> None:
        """Let the standby be the primary: what was committed since it fell behind is lost."""
        names = [table.name for table in metadata.sorted_tables]
        with super().begin() as connection:
            for name in reversed(names):
                connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608 no foreign words
            for name in names:
                connection.execute(text(f"INSERT INTO {name} OVERRIDING SYSTEM VALUE TABLE standby.{name}"))
            connection.execute(text("DROP SCHEMA standby CASCADE"))

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction, committed at the end of the block."""
        self._come()
        self._transactions += working.get()
        fault = self._faults.get(self._transactions) if working.get() else None
        with self._only_one(), super().begin() as connection:
            yield connection
            if fault == "cut":
                raise StoreUnavailable("the connection to Postgres broke")
            if fault == "kill":
                raise KilledError
        if fault == "cut_in_commit":
            raise StoreUnavailable("the connection to Postgres broke in COMMIT")
        if fault == "kill_after":
            raise KilledError

    @contextmanager
    def read(self, *, one_moment: bool = False) -> Iterator[Connection]:
        """Open a transaction that cannot write."""
        self._come()
        with self._only_one(), super().read(one_moment=one_moment) as connection:
            yield connection

    def ping(self) -> None:
        """Ask whether it answers and takes writes."""
        self._come()
        with super().begin():
            pass

    def now(self) -> datetime:
        """Return the time of Postgres' clock."""
        self.ping()
        return self._scheduler.now()

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Note that this thread has a connection."""
        thread = threading.get_ident()
        self._in_transaction.add(thread)
        try:
            yield
        finally:
            self._in_transaction.discard(thread)

    def _come(self) -> None:
        """Get a connection, after a pause; no transaction is open while an invocation stands still.

        Who has one and asks for another may wait for ever: for one that a pool has lent to others who wait, too.
        """
        assert threading.get_ident() not in self._in_transaction, "a second connection in a transaction"
        random = self._scheduler.random
        if working.get() and random is not None and random.random() < self._pauses:
            self._scheduler.stand_still(random.choice((0.0, 0.1, self.PAUSE)))
        if self.is_away:
            raise StoreUnavailable("Postgres does not answer")
