"""One invocation's hold on the recovery of a host, as its tasks see it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from instance_ha.models.enums import NotificationStatus, TaskState
from instance_ha.models.rows import Host, Notification, TaskRow
from instance_ha.store import tasks
from instance_ha.store.leases import Lease
from instance_ha.world import World


@dataclass(frozen=True)
class Done:
    """The task has worked; go on with the next."""


@dataclass(frozen=True)
class Skip:
    """Nothing is left to do: the recovery ends, for the reason given."""

    reason: str
    status: NotificationStatus = NotificationStatus.FINISHED


@dataclass(frozen=True)
class NotYet:
    """The invocation's time is up: another one goes on with this task."""


Outcome = Done | Skip | NotYet


@dataclass(frozen=True)
class Recovery:
    """What a task works with."""

    world: World
    lease: Lease
    notification: Notification
    host: Host
    deadline: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether the invocation has just begun, so that another one would have no more time."""
        begun = self.deadline - timedelta(seconds=self.world.settings.invocation_time)
        return self.world.clock.now() - begun < timedelta(seconds=1)

    @property
    def out_of_time(self) -> bool:
        """Whether the work must be handed over."""
        return self.world.clock.now() >= self.deadline

    def renew(self) -> None:
        """Hold the recovery longer; raises LeaseLost when it is another's."""
        with self.world.database.begin() as connection:
            self.lease.renew(connection, self.world.clock.now())

    def recall(self, task: TaskRow) -> dict[str, Any]:
        """Read what a task has kept."""
        with self.world.database.begin() as connection:
            return tasks.recall(connection, task)

    def keep(self, task: TaskRow, **values: Any) -> None:
        """Keep more, before something is sent that must be known of afterwards.

        Raises:
            LeaseLost: the recovery is another's, so nothing may be sent.

        """
        with self.world.database.begin() as connection:
            self.lease.renew(connection, self.world.clock.now())
            tasks.remember(connection, task, tasks.recall(connection, task) | values)

    def give_up_at(self, task: TaskRow, seconds: float) -> datetime:
        """Say when a task's wait ends; it is one wait over all invocations, so its end is kept."""
        with self.world.database.begin() as connection:
            kept = tasks.recall(connection, task)
            if "give_up_at" not in kept:
                end = self.world.clock.now() + timedelta(seconds=seconds)
                kept = {**kept, "give_up_at": end.isoformat()}
                tasks.remember(connection, task, kept)
        return datetime.fromisoformat(kept["give_up_at"])

    def report(self, task: TaskRow, progress: float, message: str, state: TaskState | None = None) -> None:
        """Add a line of progress; raises LeaseLost when the recovery is another's."""
        now = self.world.clock.now()
        with self.world.database.begin() as connection:
            self.lease.renew(connection, now)
            tasks.report(connection, task, now, progress, message, state)


class Task(Protocol):
    """One task of a flow: may be run again after a crash anywhere, and picks up where the rows say it was.

    It raises RecoveryFailed when it cannot succeed.
    """

    def __call__(self, recovery: Recovery, task: TaskRow) -> Outcome:
        """Run."""
