"""Nova's scheduler and conductor: when they are called down, and what waits until they are back."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from instance_ha_simulator.cloud.model import Course, Migration, Server

CONDUCTOR = "nova-conductor"
_PATIENCE = timedelta(seconds=60)  # of the conductor with the scheduler: rpc_response_timeout


@dataclass(frozen=True)
class Cast:
    """An evacuation on its way to the conductor, for whom it waits in the message queue."""

    at: datetime
    server: Server
    record: Migration
    wanted: str | None
    stopped_after: bool
    course: Course


@dataclass
class Controllers:
    """The services of the controller that have stopped, and since when; and the casts that wait for them."""

    stopped: dict[str, datetime] = field(default_factory=dict)
    waiting: list[Cast] = field(default_factory=list)

    def is_up(self, name: str, now: datetime, service_down_time: float) -> bool:
        """Say what Nova says: a service that has stopped is up until it has not reported for some time."""
        return name not in self.stopped or now - self.stopped[name] <= timedelta(seconds=service_down_time)

    def stop(self, name: str, now: datetime) -> None:
        """Let one stop."""
        self.stopped.setdefault(name, now)

    def start(self, name: str, now: datetime) -> list[Cast]:
        """Let one start again; returns what is carried out now, late, and forgets what the conductor has given up."""
        self.stopped.pop(name, None)
        if self.stopped:
            return []
        due = [cast for cast in self.waiting if name == CONDUCTOR or now - cast.at <= _PATIENCE]
        self.waiting.clear()
        return due
