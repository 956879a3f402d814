"""What our functions say by their log, and whether they may say it at that moment."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from instance_ha_simulator.cloud.history import Wanted
from instance_ha_simulator.cloud.model import Host, Server
from instance_ha_simulator.cloud.world import World
from instance_ha_simulator.explorer.play import Exploration


class Account:
    """What our functions have said of each instance and each recovery, by their log."""

    def __init__(self, played: Exploration) -> None:
        self._played = played
        self.left_out: dict[str, set[str]] = defaultdict(set)  # by notification
        self.ended: dict[tuple[str, str], dict[str, Any]] = {}  # the last end of an evacuation: notification, instance
        self.chosen: list[datetime] = []  # up to which time what owners did is seen in the list of a failed host
        self._down: dict[str, datetime] = {}  # since when a host is known to be down, by notification
        self.begun: list[datetime] = []  # when evacuations were begun
        self.broken: list[str] = []
        played.watchers.append(self.hear)

    def hear(self, event: Any) -> None:
        """Take in a line of the log."""
        uuid = event.get("notification_uuid")
        if event["event"] == "instance left out":
            self.left_out[uuid].add(event["instance_uuid"])
        elif event["event"] == "instances chosen":
            self.chosen.append(self._listed(self._down.get(uuid)))
        elif event["event"] == "compute service down":
            self._down[uuid] = self._played.simulation.scheduler.now()
        elif event["event"] == "evacuations begun":
            self.begun.append(self._played.simulation.scheduler.now())
        elif event["event"] in ("evacuation ended", "evacuation found failed"):
            now = self._played.simulation.scheduler.now()
            self.ended[uuid, event.get("instance_uuid") or event["instance"]] = dict(event) | {"at": now}
        elif event["event"] == "notification closed" and event["status"] == "finished":
            self.broken += finished_means_well(self._played, self, uuid, event["message"])

    def _listed(self, since: datetime | None) -> datetime:
        """Say up to which time the list tells that was just read: of its first page, and of a replica that lags."""
        with self._played.simulation.cloud.world() as world:
            pages = [at for at in world.history.reads.get("detail", ()) if since is not None and at >= since]
            return min(pages, default=world.now) - timedelta(seconds=world.options.list_lag)

    def may_be(self, wanted: Wanted) -> set[str | None]:
        """Return the states that an owner may want, as far as anybody can see.

        Nobody sees what they have asked a dead host for after its instances were listed.
        """
        is_late = wanted.to_dead_host and any(wanted.since >= listed for listed in self.chosen)
        return {wanted.state, wanted.before} if is_late else {wanted.state}

    def is_left(self, server: Server, notification: str) -> bool:
        """Whether an instance was left where it is on purpose, or by its owner's doing, as its recovery says."""
        end = self.ended.get((notification, server.id), {})
        return server.id in self.left_out[notification] or end.get("status") == "ignored"

    def was_reset_unseen(self, server: Server, notification: str, world: World) -> bool:
        """Whether a reset that was on its way was carried out after the last list that shows an instance.

        What happens after that look is not promised to be seen (S5), if one was taken since its evacuation has ended.
        """
        end, looked = self.ended.get((notification, server.id)), world.history.last_read("detail", world.now)
        if end is None or looked is None or looked < end["at"]:
            return False
        resets = (r for r in world.history.received if r.server_id == server.id and r.action == "os-resetState")
        return any(one.sent_at < looked < one.time for one in resets)

    def is_named(self, server: Server, notification: str, message: str) -> bool:
        """Whether it is said what became of an instance: by the recovery's message, or its vmove, or as left out."""
        if server.id in self.left_out[notification] or server.id in message or server.name in message:
            return True
        end = self.ended.get((notification, server.id), {})
        return end.get("status") in ("ignored", "failed") or bool(end.get("message"))


def finished_means_well(played: Exploration, account: Account, uuid: str, message: str) -> Iterator[str]:
    """Finished is said only when every instance of the host is well or named; checked at the moment it is said."""
    host = played.callers.reports.get(uuid)
    if not isinstance(host, str):
        return
    with played.simulation.cloud.world() as world:
        deaths = [death for death in world.history.deaths if death.host == host]
        if not deaths:
            return
        for server_id in deaths[-1].servers:
            server = world.servers.get(server_id)
            if server is None or account.is_left(server, uuid):
                continue
            wanted = account.may_be(world.history.wanted[server.id])
            wrong = _wrong_at_the_end_of_a_recovery(server, host, wanted, world.hosts)
            unseen = server_id in world.history.meddled or account.was_reset_unseen(server, uuid, world)
            if wrong and not unseen:
                yield f"finished, but {server.name} {wrong}"


def _wrong_at_the_end_of_a_recovery(
    server: Server, source: str, wanted: set[str | None], hosts: dict[str, Host]
) -> str | None:
    if server.host == source:
        return None if server.task_state == "deleting" or hosts[source].alive else f"is still on {source}"
    if server.vm_state == "error" and "error" not in wanted and server.task_state is None:
        return f"is in error on {server.host}"
    return None
