"""The recovery that a notification asks for, as its tasks see it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from instance_ha.decide.fencing import is_fenced
from instance_ha.decide.hold import Hold
from instance_ha.models.enums import NotificationStatus, TaskState
from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import Host, HostChanges, Notification, TaskRow
from instance_ha.models.uuids import NotificationUuid
from instance_ha.recovery.claim import Claim, Claimed
from instance_ha.store import fence_attempts, tasks

Memory = TypeVar("Memory")


@dataclass(frozen=True)
class Done:
    """The task has worked; go on with the next."""


@dataclass(frozen=True)
class Skip:
    """Nothing is left to do: the recovery ends, for the reason given, and the host is changed with it."""

    reason: str
    status: NotificationStatus = NotificationStatus.FINISHED
    host_changes: HostChanges = field(default_factory=dict)


@dataclass(frozen=True)
class NotYet:
    """The invocation's time is up: another one goes on with this task."""


@dataclass(frozen=True)
class Held:
    """The task must not go on: the recovery waits, and comes to this task again."""

    hold: Hold


Outcome = Done | Skip | NotYet | Held


@dataclass(frozen=True)
class HostBefore:
    """What the host was before the recovery has changed it; the first task of the first attempt remembers it."""

    reserved: bool
    on_maintenance: bool
    on_maintenance_for: NotificationUuid | None  # an earlier recovery, which has not given it back


@dataclass(frozen=True)
class _Wait:
    """One wait over all invocations."""

    until: datetime


@dataclass(frozen=True)
class Recovery(Claimed[Notification]):
    """What a task works with."""

    claim: Claim[Notification]
    host: Host

    @property
    def notification(self) -> Notification:
        """The notification, as it was claimed or last written."""
        return self.claim.row

    @property
    def is_fresh(self) -> bool:
        """Whether the invocation has just begun, so that another one would have no more time."""
        begun = self.claim.deadline - timedelta(seconds=self.world.settings.invocation_time)
        return self.world.clock.now() - begun < timedelta(seconds=1)

    @property
    def has_fenced(self) -> bool:
        """Whether the recovery itself has fenced the host, in this attempt."""
        with self.claim.read() as connection:
            tried = fence_attempts.of_attempt(
                connection, self.notification.notification_uuid, self.notification.attempt
            )
        return is_fenced(tried)

    def recall(self, task: TaskRow, kind: type[Memory]) -> Memory | None:
        """Read what a task remembers of this kind; None when it has not remembered any."""
        with self.claim.read() as connection:
            return tasks.recall(connection, task, kind)

    def remember(self, task: TaskRow, memory: object) -> None:
        """Remember for later invocations, in place of what is remembered of the same kind.

        Raises:
            LeaseLost: the recovery belongs to another invocation, so nothing may be sent.

        """
        with self.claim.transaction() as connection:
            tasks.remember(connection, task, memory)

    def give_up_at(self, task: TaskRow, seconds: float, waits_until: str | None = None) -> datetime:
        """Say when a task's wait ends; it is one wait over all invocations, so its end is remembered.

        It is asked for once in a run of the task, so the task's row tells what was remembered before.
        ``waits_until`` is said in the notification's message while it lasts.
        """
        wait, now = tasks.remembered(task, _Wait), self.world.clock.now()
        if wait is None:
            wait = _Wait(now + timedelta(seconds=seconds))
            limit = f"since {now:%H:%M:%S} UTC, at most until {wait.until:%H:%M:%S} UTC"
            with self._transaction(f"waiting until {waits_until}, {limit}" if waits_until else None) as connection:
                tasks.remember(connection, task, wait)
        return wait.until

    def wait_until(self, task: TaskRow, seconds: float, is_so: Callable[[], bool], what: str) -> bool:
        """Ask again and again until something is so; False when the invocation's time is up before.

        Raises:
            RecoveryFailed: it was not so in ``seconds``; ``what`` says what was waited for.

        """
        until = self.give_up_at(task, seconds)
        while not is_so():
            if self.world.clock.now() >= until:
                raise RecoveryFailed(f"{what} within {seconds:g} s")
            if not self.claim.pause():
                return False
        return True

    def progress(self, task: TaskRow, progress: float, message: str, state: TaskState | None = None) -> None:
        """Add a line of progress: what was waited for is over. Raises LeaseLost as all that writes."""
        self.progress_lines(task, [(progress, message)], state)

    def progress_lines(self, task: TaskRow, lines: Sequence[tuple[float, str]], state: TaskState | None = None) -> None:
        """Add several lines of progress at once."""
        with self._transaction(None) as connection:
            tasks.add_progress(connection, task, self.world.clock.now(), lines, state)

    @contextmanager
    def _transaction(self, waits: str | None) -> Iterator[Connection]:
        """Open a transaction that says in the notification's message what is waited for; a hold's stays."""
        row = self.claim.row
        changed: dict[str, Any] = {} if row.held_since or waits == row.message else {"message": waits}
        with self.claim.transaction(**changed) as connection:
            yield connection
        self.claim.row = replace(self.claim.row, **changed)


class Task(Protocol):
    """One task of a flow: may be run again after a crash anywhere, and picks up where the rows say it was.

    It raises RecoveryFailed when it cannot succeed.
    """

    def __call__(self, recovery: Recovery, task: TaskRow) -> Outcome:
        """Run."""
