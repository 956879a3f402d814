"""Plays a drawn world until it is at rest: faster than a scenario, since nothing waits for a minute to pass."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from instance_ha.metrics.recorder import Recorder
from instance_ha.store import hosts, policies, segments
from instance_ha.store.database import Database
from sqlalchemy import text

from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.troubles.base import reported_host
from instance_ha_simulator.lasting import make_stage
from instance_ha_simulator.scenario import NotServedError, Play, Scenario
from instance_ha_simulator.scheduler import KilledError

_TICKS = {"sweep"}
# A return that the policy has asked for waits for its host for ever, and so not in a run.
_NEXT_DUE = text(
    "SELECT least((SELECT min(due_at) FROM notifications), (SELECT min(due_at) FROM vmoves),"
    " (SELECT min(due_at) FROM returns WHERE status = 'running' OR actor IS NOT NULL"
    " OR due_at < created_at + interval '15 minutes'))"
)
_DEFAULT_POLICY = {"dead_when": [["service_down"]], "local_disk": "evacuate", "fence": "never"}


class _NoCounts(Recorder):
    """Metrics are not what is explored, and cost each invocation a transaction."""

    def flush(self, database: Database) -> None:
        """Keep nothing."""


def set_stage(url: str) -> Stage:
    """Make what all plays of a worker use: a database with our schema, and nothing in it, and a cloud."""
    return make_stage(url, _NoCounts())


class Rows:
    """Our rows as they are at the end."""

    def __init__(self, database: Database) -> None:
        def read(query: str) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(text(query)).mappings()]

        with database.begin() as connection:
            self.notifications = {str(n["notification_uuid"]): n for n in read("SELECT * FROM notifications")}
            self.hosts = {str(host["name"]): host for host in read("SELECT * FROM hosts WHERE deleted_at IS NULL")}
            self.vmoves = read("SELECT * FROM vmoves WHERE type = 'evacuation' ORDER BY id")
            self.returns = read("SELECT * FROM returns ORDER BY id")
            self.moves_home = read("SELECT * FROM vmoves WHERE type = 'live_migration' ORDER BY id")


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

    def _stop_return(self, _: bool) -> None:
        if self.returns():
            super()._stop_return(_)

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
