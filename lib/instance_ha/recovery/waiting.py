"""Waits of a task: one wait over all invocations, bounded, and what the task keeps in its row meanwhile."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import NotYet, Outcome, Recovery
from instance_ha.store import tasks


def recall(recovery: Recovery, task: TaskRow) -> dict[str, Any]:
    """Read what the task has kept."""
    with recovery.world.database.begin() as connection:
        return tasks.recall(connection, task)


def keep(recovery: Recovery, task: TaskRow, **values: Any) -> None:
    """Keep more, before something is sent that must be known of afterwards.

    Raises:
        LeaseLost: the recovery is another's: nothing may be sent.

    """
    with recovery.world.database.begin() as connection:
        recovery.lease.renew(connection, recovery.world.clock.now())
        tasks.remember(connection, task, tasks.recall(connection, task) | values)


def give_up_at(recovery: Recovery, task: TaskRow, seconds: float) -> datetime:
    """Return when the task's wait ends: ``seconds`` after it was first asked for, in whichever invocation."""
    with recovery.world.database.begin() as connection:
        kept = tasks.recall(connection, task)
        if "give_up_at" not in kept:
            kept["give_up_at"] = (recovery.world.clock.now() + timedelta(seconds=seconds)).isoformat()
            tasks.remember(connection, task, kept)
    return datetime.fromisoformat(kept["give_up_at"])


def wait(
    recovery: Recovery,
    task: TaskRow,
    seconds: float,
    complaint: str,
    look: Callable[[], Outcome | None],
    pause: float | None = None,
) -> Outcome:
    """Look again and again until there is an outcome, or the invocation's time is up.

    The clock starts after the first look: a cloud that does not answer takes nothing from the wait.

    Raises:
        RecoveryFailed: the wait is over; ``complaint`` says what did not happen.

    """
    world = recovery.world
    while True:
        outcome = look()
        if outcome is not None:
            return outcome
        if world.clock.now() >= give_up_at(recovery, task, seconds):
            raise RecoveryFailed(complaint)
        if recovery.out_of_time:
            return NotYet()
        recovery.renew()
        left = (recovery.deadline - world.clock.now()).total_seconds()
        world.clock.sleep(min(world.settings.verify_interval if pause is None else pause, max(left, 0.0)))
