"""Plays a drawn world until it is at rest: faster than a scenario, since nothing waits for a minute to pass."""

from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from instance_ha.metrics.recorder import Recorder
from instance_ha.store.database import Database
from sqlalchemy import text

from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.callers import PersistentCallers
from instance_ha_simulator.lasting import make_stage
from instance_ha_simulator.play import Play
from instance_ha_simulator.scenario import Scenario
from instance_ha_simulator.tables import Rows

_TICKS = {"sweep"}
# A return that the policy has asked for waits for its host for ever, and so not in a run.
_NEXT_DUE = text(
    "SELECT least((SELECT min(due_at) FROM notifications), (SELECT min(due_at) FROM vmoves),"
    " (SELECT min(due_at) FROM returns WHERE status = 'running' OR actor IS NOT NULL"
    " OR due_at < created_at + interval '15 minutes'))"
)


class _NoCounts(Recorder):
    """Metrics are not what is explored, and cost each invocation a transaction."""

    def flush(self, database: Database) -> None:
        """Keep nothing."""


def set_stage(url: str) -> Stage:
    """Make what all plays of a worker use: a database with our schema, and nothing in it, and a cloud."""
    return make_stage(url, _NoCounts())


class Exploration(Play):
    """One run of a drawn world."""

    callers: PersistentCallers

    def __init__(self, scenario: Scenario, stage: Stage, folder: Path) -> None:
        super().__init__(scenario, stage, None, folder)
        self.started: list[tuple[datetime, str]] = []  # when an attempt to recover which host began
        self.closed: dict[str, datetime] = {}  # when its recovery ended
        self.errors: list[str] = []
        self._busy = True
        self._next_due: datetime | None = None
        self.watchers.append(self.hear)

    def _callers(self) -> PersistentCallers:
        return PersistentCallers(self.simulation, self.tables, self.names, self._tell)

    @property
    def has_failed_over(self) -> bool:
        """Whether a standby that lags behind is promoted in this world."""
        return any("standby_is_promoted" in happening for happening in self.scenario.world["happenings"])

    @cached_property
    def rows(self) -> Rows:
        """Our rows, read once, when all is over."""
        return self.tables.rows()

    def hear(self, line: Any) -> None:
        """Take in a line of the log."""
        if line.get("exc_info") or line["event"] == "unexpected error, will retry":
            self.errors.append(str(line.get("exception") or line["event"]))
        if line["event"] == "recovery started":
            self.started.append((self.simulation.scheduler.now(), line["host"]))
        is_last = line["event"] == "recovery attempt failed" and line["status"] == "failed"
        if is_last or line["event"] == "notification closed":
            self.closed[line["notification_uuid"]] = self.simulation.scheduler.now()

    def _start_ticks(self) -> None:
        self.simulation.every(60.0, "sweep", self._sweep)

    def _sweep(self) -> None:
        """Let a tick that will find nothing pass, so that quiet hours cost nothing."""
        scheduler = self.simulation.scheduler
        end = scheduler.now() + timedelta(seconds=self.simulation.settings.invocation_time)
        if not self.simulation.database.is_away and scheduler.is_idle(_TICKS) and (self._due() or end) >= end:
            return
        self._busy = True
        self.simulation.call("sweep", "/", b"", {})

    def _due(self) -> datetime | None:
        """Say when something will be due; read again only when something has happened since."""
        if self._busy:
            with self.simulation.database.begin() as connection:
                self._next_due = connection.execute(_NEXT_DUE).scalar_one()
            self._busy = False
        return self._next_due

    def _over(self) -> bool:
        """At rest: nothing goes on, and nothing will be due any more."""
        if not self.simulation.scheduler.is_idle(_TICKS):
            self._busy = True
            return False
        return not self.simulation.database.is_away and self._due() is None
