"""Whether what our functions say by their log is so, checked at the moment they say it, in the cloud itself."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from instance_ha.models.gates import Scope
from instance_ha.models.text import LOCK_REASON

from instance_ha_simulator.cloud.model import Host
from instance_ha_simulator.cloud.world import World
from instance_ha_simulator.explorer.play import Exploration

_UNDER_WAY = timedelta(seconds=20)  # an invocation that passed the gates before a pause may begin so much later
_ASKED_AGAIN = timedelta(seconds=10)  # so long ago a recovery may have asked, and a return since
_IS_BACK = ("is alive: its nova-compute went on reporting", "is up again")  # what a message says of a host


class Statements:
    """What is heard of a run as it goes on; ``broken`` names what was not so."""

    def __init__(self, played: Exploration) -> None:
        self._played = played
        self._running: dict[str, set[str]] = defaultdict(set)  # recoveries, by their hosts
        self._paused_at: datetime | None = None  # the cloud: since then, until
        self._paused_until: datetime | None = None
        self._approved: set[str] = set()
        world = played.scenario.world
        self._hosts_return = any("return_host" in one for one in world["happenings"]) or any(
            (segment.get("policy") or {}).get("returns") == "auto" for segment in world["segments"].values()
        )
        self.broken: list[str] = []
        played.watchers.append(self.hear)

    def hear(self, line: Any) -> None:
        """Take in a line of the log, and check it."""
        check = {
            "compute service down": self._is_down,
            "recovery started": self._may_begin,
            "pause begun": self._pauses,
            "pause ended": self._goes_on,
            "recovery approved": self._is_approved,
            "recovery attempt failed": self._ends,
            "evacuation ended": self._is_unlocked,
            "notification closed": self._is_back,
        }.get(line["event"])
        if check is not None:
            with self._played.simulation.cloud.world() as world:
                self.broken += check(line, world)

    def _is_down(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """Nova called the service down when it was asked; a host may have come up since.

        That was the last time that anybody asked; where hosts return, a return may have asked once more since.
        """
        host, asked = world.hosts[line["host"]], world.history.reads.get("os-services", [])[-1:]
        if self._hosts_return:
            since = world.now - _ASKED_AGAIN
            asked = [at for at in world.history.reads["os-services"] if at >= since] or asked
        if asked and world.is_up(host) and not (host.alive and any(host.started_at > at for at in asked)):
            yield f"it is said that the service of {host.name} is down, and Nova calls it up"

    def _may_begin(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """Nothing new begins in a pause of the cloud that nobody has opened, nor beside another of the host."""
        yield from self._is_the_only_one(line, world)
        now, at, until = self._played.simulation.scheduler.now(), self._paused_at, self._paused_until
        is_paused = at is not None and until is not None and at + _UNDER_WAY < now < until
        is_new = line["attempt"] == 1 and line["notification_uuid"] not in self._approved
        if is_paused and is_new and not self._played.has_failed_over:
            yield f"the recovery of {line['host']} begins while the cloud is paused"

    def _pauses(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """Only a pause of the cloud is about everything."""
        if line["scope"] == Scope.CLOUD:
            self._paused_at = self._played.simulation.scheduler.now()
            self._paused_until = datetime.fromisoformat(line["until"])
        return iter(())

    def _goes_on(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """Two pauses of the cloud may overlap: then the other one is not watched."""
        if line["scope"] == Scope.CLOUD:
            self._paused_at = None
        return iter(())

    def _is_approved(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """What an operator has approved may begin in a pause."""
        self._approved.add(line["notification_uuid"])
        return iter(())

    def _is_the_only_one(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """No recovery of the host begins while another one runs; a standby may not know of one."""
        uuid = line["notification_uuid"]
        host = self._played.callers.reports.get(uuid)
        if not isinstance(host, str) or self._played.has_failed_over:
            return
        self._running[host].add(uuid)
        if len(self._running[host]) > 1:
            yield f"two recoveries of {host} run at once"

    def _ends(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """Until the next attempt another recovery may begin."""
        for running in self._running.values():
            running.discard(line["notification_uuid"])
        return iter(())

    def _is_unlocked(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """What a recovery has locked was to be unlocked before its evacuation ends, whatever Nova made of that.

        The recovery of the host that it has moved to may have locked it again. A standby may not know of the lock: then
        the final check removes it.
        """
        if self._played.has_failed_over:
            return
        server = world.servers.get(line["instance_uuid"])
        if server is None or server.locked_reason != f"{LOCK_REASON}{line['notification_uuid']}":
            return
        of_it = [one for one in world.history.received if one.server_id == server.id]
        locked = [one.time for one in of_it if one.action == "lock"]
        is_late = any(rule.get("late") for rule in self._played.scenario.faults.get("nova", ()))
        if not is_late and not any(one.action == "unlock" and one.time >= locked[-1] for one in of_it):
            yield f"the evacuation of {server.name} has ended, and nobody has asked to unlock it"

    def _is_back(self, line: Mapping[str, Any], world: World) -> Iterator[str]:
        """No host is called alive or back that was dead from its report until then."""
        uuid = line["notification_uuid"]
        name = self._played.callers.reports.get(uuid)
        if not isinstance(name, str):
            return
        yield from self._ends(line, world)
        if any(words in line["message"] for words in _IS_BACK) and self._was_dead(uuid, world.hosts[name], world):
            yield f"{name} is called alive or back, and was dead all the time"

    def _was_dead(self, uuid: str, host: Host, world: World) -> bool:
        since = self._played.callers.accepted[uuid]
        if host.alive or host.guests_run or any(d.host == host.name and d.time >= since for d in world.history.deaths):
            return False
        return host.last_report is None or host.last_report < since
