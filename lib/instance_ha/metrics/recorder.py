"""Counts in memory what no row shows, and adds it to Postgres at the end of an invocation, at most each ten seconds.

A process may be gone the next minute, and others count at the same time: memory is only for these seconds. If
each invocation wrote, all would write to the same few rows, one behind the other.
"""

import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from instance_ha import log
from instance_ha.beside import later
from instance_ha.models.errors import StoreUnavailable
from instance_ha.models.metric import Metric, Values
from instance_ha.store import counters
from instance_ha.store.database import Database

_REST = 10.0  # seconds; Prometheus asks no more often


class Recorder:
    """Takes counts of all threads of a process; ``later`` does something after so many seconds."""

    def __init__(self, later: Callable[[float, Callable[[], None]], None] = later) -> None:
        self._later = later
        self._lock = threading.Lock()
        self._pending: Values = {}
        self._rests = False

    def count(self, metric: Metric, **labels: str) -> None:
        """Count one more."""
        self._add({metric.series(**labels): 1.0})

    def observe(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Count one more, which took so long."""
        self._add(metric.observed(seconds, **labels))

    def _add(self, values: Values) -> None:
        with self._lock:
            for sample, value in values.items():
                self._pending[sample] = self._pending.get(sample, 0.0) + value

    def flush(self, database: Database) -> None:
        """Add what was counted to Postgres: now, or some seconds after the last time.

        No invocation fails for it: what cannot be added is kept for the next invocation of this process. If Postgres
        went away during the commit it may so be added twice.
        """
        with self._lock:
            if self._rests or not self._pending:
                return
            self._rests = True
        if self.flush_now(database):
            self._later(_REST, lambda: self._go_on(database))
        else:
            self._rests = False

    def _go_on(self, database: Database) -> None:
        with self._lock:
            self._rests = False
        self.flush(database)

    def flush_now(self, database: Database) -> bool:
        """Add what was counted to Postgres, if anything was, whenever that was done before; False: it cannot be."""
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending:
            return True
        try:
            now = database.now()  # not the machine's: the times of all processes are compared
            with database.begin() as connection:
                counters.add(connection, pending, now)
        except (StoreUnavailable, SQLAlchemyError) as error:
            log.get().debug("metrics kept", reason=type(error).__name__)
            self._add(pending)
            return False
        return True
