"""Plays a drawn world until it is at rest: faster than a scenario, since nothing waits for a minute to pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import psycopg
from instance_ha.metrics.recorder import Recorder
from instance_ha.store import hosts, policies, segments
from instance_ha.store.database import Database
from instance_ha.store.schema import metadata
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection, text

from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import ManualClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.database import SimulatedDatabase, Stage
from instance_ha_simulator.explorer.troubles.base import reported_host
from instance_ha_simulator.scenario import NotServedError, Play, Scenario
from instance_ha_simulator.scheduler import KilledError, Scheduler

_TICKS = {"sweep"}
_NEXT_DUE = text("SELECT least((SELECT min(due_at) FROM notifications), (SELECT min(due_at) FROM vmoves))")
_TABLES = [table.name for table in reversed(metadata.sorted_tables)]  # what refers to a row goes before it
_DEFAULT_POLICY = {"dead_when": [["service_down"]], "local_disk": "evacuate", "fence": "never"}


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
        """Lend a connection; that it cannot write is for the tests of the pool."""
        self._come()
        with self._lent() as connection:
            yield connection

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


class _NoCounts(Recorder):
    """Metrics are not what is explored, and cost each invocation a transaction."""

    def flush(self, database: Database) -> None:
        """Keep nothing."""


def set_stage(url: str) -> Stage:
    """Make what all plays of a worker use: a database with our schema, and nothing in it, and a cloud."""
    cloud = Cloud(ManualClock())
    return Stage(LastingDatabase(url), cloud, create_app(cloud), _NoCounts())


def clear(stage: Stage) -> None:
    """Forget all that was stored."""
    stage.database.join(Scheduler(), [])
    with stage.database.begin() as connection:
        connection.exec_driver_sql("; ".join(f"DELETE FROM {table}" for table in _TABLES))  # noqa: S608 no foreign words
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS standby CASCADE")


class Rows:
    """Our rows as they are at the end."""

    def __init__(self, database: Database) -> None:
        def read(query: str) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(text(query)).mappings()]

        with database.begin() as connection:
            self.notifications = {str(n["notification_uuid"]): n for n in read("SELECT * FROM notifications")}
            self.hosts = {str(host["name"]): host for host in read("SELECT * FROM hosts WHERE deleted_at IS NULL")}
            self.vmoves = read("SELECT * FROM vmoves ORDER BY id")


@dataclass(frozen=True)
class Posted:
    """Evidence that somebody has posted, and the API has taken."""

    at: datetime
    until: datetime
    host: str
    kind: str
    verdict: str
    source: str


class Exploration(Play):
    """One run of a drawn world."""

    def __init__(self, scenario: Scenario, stage: Stage, folder: Path) -> None:
        super().__init__(scenario, stage, None, folder)
        self.reports: dict[str, Any] = {}  # what was reported, by notification
        self.accepted: dict[str, datetime] = {}  # when that was
        self.started: list[tuple[datetime, str]] = []  # when an attempt to recover which host began
        self.closed: dict[str, datetime] = {}  # when its recovery ended
        self.posted: list[Posted] = []
        self.policies: list[tuple[datetime, dict[str, Any]]] = []  # of the segment, and since when
        self.errors: list[str] = []
        self._busy = True
        self._next_due: datetime | None = None
        self.watchers.append(self.hear)

    @property
    def has_failed_over(self) -> bool:
        """Whether a standby that lags behind is promoted in this world."""
        return any("standby_is_promoted" in happening for happening in self.scenario.world["happenings"])

    @cached_property
    def rows(self) -> Rows:
        """Our rows, read once, when all is over."""
        return Rows(self.simulation.database)

    def hear(self, line: Any) -> None:
        """Take in a line of the log."""
        if line.get("exc_info") or line["event"] == "unexpected error, will retry":
            self.errors.append(str(line.get("exception") or line["event"]))
        if line["event"] == "recovery started":
            self.started.append((self.simulation.scheduler.now(), line["host"]))
        is_last = line["event"] == "recovery attempt failed" and line["status"] == "failed"
        if is_last or line["event"] == "notification closed":
            self.closed[line["notification_uuid"]] = self.simulation.scheduler.now()

    def _register(self) -> None:
        """Store segments and hosts without the API, which is not what is explored."""
        now = self.simulation.scheduler.now()
        with self.simulation.database.begin() as connection:
            for name, about in self.scenario.world["segments"].items():
                values = {"name": name, "service_type": "COMPUTE", "recovery_method": about.get("method", "auto")}
                segment = segments.create(connection, values, now)
                self.segments[name] = segment.uuid
                if policy := about.get("policy"):
                    policies.change(connection, segment.uuid, policy, None, now)
                self.policies.append((now, _DEFAULT_POLICY | (policy or {})))
                reserved = about.get("reserved", [])
                for host in [*about["hosts"], *reserved]:
                    it = {"name": host, "type": "COMPUTE", "control_attributes": "SSH", "reserved": host in reserved}
                    hosts.create(connection, segment.uuid, it, now)

    def _notify(self, about: Any) -> None:
        """Report as a monitor does: again after an answer of 5xx, or none."""
        report = super()._notify

        def notify() -> None:
            before = len(self.notifications)
            report(about)
            self._must_be_served()
            if len(self.notifications) > before:
                self.reports[self.notifications[-1]] = reported_host(about) or about
                self.accepted[self.notifications[-1]] = self.simulation.scheduler.now()

        self._insist(notify, 10.0)

    def _must_be_served(self) -> None:
        """Raise NotServedError when the last answer was one of 5xx."""
        if int(self.lines[-1].rsplit(" ", 1)[1]) >= 500:
            raise NotServedError(self.lines[-1])

    def _insist(self, change: Callable[[], None], pause: float = 1.0) -> None:
        """Do as people and monitors do: try again when it was not served, or the function was killed."""
        try:
            change()
        except (NotServedError, KilledError):
            self.simulation.scheduler.spawn("again", partial(self._insist, change, pause), pause)

    def _change_segment(self, name: str, *, enabled: bool) -> None:
        self._insist(partial(super()._change_segment, name, enabled=enabled))

    def _change_policy(self, about: Any) -> None:
        now, change = self.simulation.scheduler.now(), super()._change_policy

        def changed() -> None:
            change(about)
            self.policies.append((now, self.policies[-1][1] | about["change"]))

        self._insist(changed)

    def _pause(self, about: Any) -> None:
        self._insist(partial(super()._pause, about))

    def _call_api(self, about: dict[str, Any]) -> None:
        """Ask the API; of evidence it is remembered what was taken."""
        now, call = self.simulation.scheduler.now(), super()._call_api

        def post() -> None:
            call(about)
            self._must_be_served()
            it = (about.get("body") or {}).get("evidence")
            if it and self.lines[-1].endswith("answered 201"):
                until = self.simulation.scheduler.now() + timedelta(seconds=it["valid_for"])
                said = it.get("verdict", "dead"), it.get("source", "api")
                self.posted.append(Posted(now, until, it["host"], it["kind"], *said))

        self._insist(post)

    def _start_ticks(self) -> None:
        self.simulation.every(60.0, "sweep", self._sweep)

    def _sweep(self) -> None:
        """Let a tick that will find nothing pass, so that quiet hours cost nothing."""
        scheduler = self.simulation.scheduler
        end = scheduler.now() + timedelta(seconds=self.simulation.settings.invocation_time)
        if not self.simulation.database.is_away and scheduler.is_idle(_TICKS) and (self._due() or end) >= end:
            return
        self._busy = True
        self._tick("sweep")

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
