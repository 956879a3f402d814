"""What has really happened in the cloud, for checks of what others did to it; Nova itself shows none of this."""

from dataclasses import dataclass, field
from datetime import datetime

from instance_ha_simulator.cloud.model import EvacuationRequest
from instance_ha_simulator.cloud.power_actions import POWER_ACTIONS

_RUNNING = (1, 3)  # power_states: running, paused
# The state that an owner has asked for, by the action, and the state that a task would have led to.
WANTED_AFTER = {name: action.result for name, action in POWER_ACTIONS.items()} | {
    "resize": "resized",
    "delete": "deleted",
}
INTENDED = {action.task: action.result for action in POWER_ACTIONS.values() if action.verb != "reboot"}


@dataclass
class Run:
    """The time in which a guest ran on a host, whatever Nova knew of it."""

    server_id: str
    host: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Death:
    """A host that died, and the servers that Nova had on it then."""

    time: datetime
    host: str
    servers: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """The state that an owner wants a server to be in."""

    state: str
    since: datetime
    before: str | None = None  # what they wanted earlier
    to_dead_host: bool = False  # Nova has accepted it, and nobody has heard of it


@dataclass(frozen=True)
class Received:
    """A request about a server that has reached Nova's API, whatever became of it there."""

    time: datetime
    server_id: str
    action: str
    sent_at: datetime  # earlier, where it was held back on its way


@dataclass
class History:
    """Which guest ran where and when, which hosts died, and what each owner wanted last."""

    runs: list[Run] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    wanted: dict[str, Wanted] = field(default_factory=dict)  # by server
    locked: dict[str, datetime] = field(default_factory=dict)  # servers that others want to be locked, and since when
    reads: dict[str, list[datetime]] = field(default_factory=dict)  # when each route of the API was read, by its end
    meddled: set[str] = field(default_factory=set)  # servers that an operator has changed by hand
    received: list[Received] = field(default_factory=list)
    refused: list[EvacuationRequest] = field(default_factory=list)  # since Nova calls the host up, so long already

    def power(self, server_id: str, host: str, at: datetime, power_state: int) -> None:
        """Write down that a guest runs on a host now, or does not."""
        running = next((run for run in self._of(server_id) if run.host == host), None)
        if power_state in _RUNNING and running is None:
            self.runs.append(Run(server_id, host, at))
        elif power_state not in _RUNNING and running is not None:
            running.until = at

    def runs_elsewhere(self, server_id: str, host: str) -> bool:
        """Whether a guest runs on another host than this."""
        return any(run.host != host for run in self._of(server_id))

    def last_read(self, route: str, before: datetime) -> datetime | None:
        """Say when a list was last read until then."""
        return max((at for at in self.reads.get(route, ()) if at <= before), default=None)

    def gone(self, server_id: str, at: datetime) -> None:
        """Write down that a guest runs nowhere any more."""
        for run in self._of(server_id):
            run.until = at

    def died(self, host: str, at: datetime, servers: tuple[str, ...]) -> None:
        """Write down that a host died, with all guests on it."""
        self.deaths.append(Death(at, host, servers))
        for run in self.runs:
            if run.host == host and run.until is None:
                run.until = at

    def asked(self, server_id: str, action: str, at: datetime, *, alive: bool) -> None:
        """Write down what an owner has asked for, and Nova has accepted; ``alive``: whether its host is."""
        if action in WANTED_AFTER:
            before = self.wanted[server_id].state
            self.wanted[server_id] = Wanted(WANTED_AFTER[action], at, before, to_dead_host=not alive)

    def _of(self, server_id: str) -> list[Run]:
        return [run for run in self.runs if run.server_id == server_id and run.until is None]
