"""Monitors and operators that ask again when they were not served; what they have asked for is remembered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from instance_ha.store import hosts, policies, segments

from instance_ha_simulator.callers import Callers, NotServedError
from instance_ha_simulator.explorer.troubles.base import reported_host
from instance_ha_simulator.scheduler import KilledError

_DEFAULT_POLICY = {"dead_when": [["service_down"]], "local_disk": "evacuate", "fence": "never"}


@dataclass(frozen=True)
class Posted:
    """Evidence that somebody has posted, and the API has taken."""

    at: datetime
    until: datetime
    host: str
    kind: str
    verdict: str
    source: str


class PersistentCallers(Callers):
    """Calls the API until it answers; one that is killed in the middle has not answered."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.reports: dict[str, Any] = {}  # what was reported, by notification
        self.accepted: dict[str, datetime] = {}  # when that was
        self.posted: list[Posted] = []
        self.policies: list[tuple[datetime, dict[str, Any]]] = []  # of the segment, and since when

    def _now(self) -> datetime:
        return self._simulation.scheduler.now()

    def _insist(self, ask: Callable[[], object], pause: float = 1.0) -> None:
        """Do as people and monitors do: try again when it was not served, or the function was killed."""
        try:
            ask()
        except (NotServedError, KilledError):
            self._simulation.scheduler.spawn("again", partial(self._insist, ask, pause), pause)

    def register(self, wanted: Mapping[str, Any]) -> None:
        """Store segments and hosts without the API, which is not what is explored."""
        now = self._now()
        with self._simulation.database.begin() as connection:
            for name, about in wanted.items():
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

    def notify(self, about: Any) -> int:
        """Report as a monitor does: again after an answer of 5xx, or none."""
        report, status, sent_at = super().notify, 0, self._now()

        def notify() -> None:
            nonlocal status
            before = len(self.notifications)
            status = _served(report(about))
            if len(self.notifications) > before:
                self._is_accepted(self.notifications[-1], about, self._now())
            if self._now() > sent_at:
                self._find_unanswered(about, sent_at)

        self._insist(notify, 10.0)
        return status

    def _is_accepted(self, uuid: str, about: Any, at: datetime) -> None:
        self.reports[uuid] = reported_host(about) or about
        self.accepted[uuid] = at

    def _find_unanswered(self, about: Any, since: datetime) -> None:
        """Find what an earlier try has stored, though its answer was lost."""
        wanted = self._report({"host": about} if isinstance(about, str) else about)
        for row in self._tables.reports(wanted["hostname"], since):
            is_it = row["type"] == wanted["type"] and row["payload"].items() >= wanted["payload"].items()
            if is_it and row["notification_uuid"] not in self.reports:
                self._is_accepted(row["notification_uuid"], about, row["created_at"])
                self.notifications.append(row["notification_uuid"])
                self.reported[wanted["hostname"]] = row["notification_uuid"]

    def ask(self, about: Mapping[str, Any]) -> int:
        """Ask the API; of evidence it is remembered what was taken, and that it may have been so at the first try."""
        ask, status, sent_at = super().ask, 0, self._now()

        def post() -> None:
            nonlocal status
            asked_at = self._now()
            status = _served(ask(about))
            it = (about.get("body") or {}).get("evidence")
            if it and status == 201:
                is_dead = it.get("verdict", "dead") == "dead"
                self._posted(sent_at if is_dead else asked_at, it)

        self._insist(post)
        return status

    def _posted(self, since: datetime, it: Mapping[str, Any]) -> None:
        until = self._now() + timedelta(seconds=it["valid_for"])
        said = it.get("verdict", "dead"), it.get("source", "api")
        self.posted.append(Posted(since, until, it["host"], it["kind"], *said))

    def change_segment(self, name: str, *, enabled: bool) -> None:
        """Enable or disable a segment."""
        self._insist(partial(super().change_segment, name, enabled=enabled))

    def change_policy(self, about: Mapping[str, Any]) -> None:
        """Change the policy of a segment; it may hold as soon as it was asked for."""
        now, change = self._now(), super().change_policy

        def changed() -> None:
            change(about)
            self.policies.append((now, self.policies[-1][1] | about["change"]))

        self._insist(changed)

    def pause(self, about: Mapping[str, Any]) -> None:
        """Pause a host, a segment, or the cloud."""
        self._insist(partial(super().pause, about))

    def stop_return(self) -> None:
        """Stop the newest return, if there is one."""
        if self._tables.returns():
            super().stop_return()


def _served(status: int) -> int:
    """Raise NotServedError for an answer of 5xx."""
    if status >= 500:
        raise NotServedError(f"answered {status}")
    return status
