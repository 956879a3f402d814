"""Waiting inside a task: bounded as a whole by a setting, and piecewise by the time of an invocation."""

from collections.abc import Callable

from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import Recovery


def wait_until(recovery: Recovery, task: TaskRow, seconds: float, is_so: Callable[[], bool], what: str) -> bool:
    """Ask again and again until something is so; False when the invocation's time is up before.

    Raises:
        RecoveryFailed: it was not so in ``seconds``; ``what`` says what was waited for.

    """
    until = recovery.give_up_at(task, seconds)
    while not is_so():
        if recovery.world.clock.now() >= until:
            raise RecoveryFailed(f"{what} within {seconds:g} s")
        if recovery.out_of_time:
            return False
        recovery.renew()
        recovery.world.clock.sleep(recovery.world.settings.verify_interval)
    return True
