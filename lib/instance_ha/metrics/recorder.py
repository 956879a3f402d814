"""Counts in memory what no row shows, and adds it to Postgres at the end of an invocation.

A process may be gone the next second, and others count at the same time: memory is only for the invocation.
"""

import threading
import time

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from instance_ha import log
from instance_ha.models.errors import StoreUnavailable
from instance_ha.models.metrics import Metric, Values
from instance_ha.store import counters
from instance_ha.store.database import Database

_RARELY = 10.0  # seconds
_PATIENCE = text("SET LOCAL statement_timeout = '2s'")


class Recorder:
    """Takes counts of all threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: Values = {}
        self._flushed = -_RARELY

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

    def flush(self, database: Database, *, rarely: bool = False) -> None:
        """Add what was counted to Postgres, if anything was; ``rarely``: not if that was done a moment ago.

        No invocation fails for it: what cannot be added is kept for the next invocation of this process. If Postgres
        went away during the commit it may so be added twice.
        """
        with self._lock:
            if rarely and time.monotonic() < self._flushed + _RARELY:
                return
            pending, self._pending = self._pending, {}
        if not pending:
            return
        self._flushed = time.monotonic()
        try:
            now = database.now()  # not the machine's: the times of all processes are compared
            with database.begin() as connection:
                connection.execute(_PATIENCE)
                counters.add(connection, pending, now)
        except (StoreUnavailable, SQLAlchemyError) as error:
            log.get().debug("metrics kept for later", reason=type(error).__name__)
            self._add(pending)
