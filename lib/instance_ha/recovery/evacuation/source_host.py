"""The failed host itself: whether it still is down, so that instances may be evacuated from it."""

from instance_ha import log
from instance_ha.decide.service import Reports, Source, compare
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.recovery import Recovery


def source(recovery: Recovery, task: TaskRow) -> Source:
    """Ask Nova whether the failed host is down; once it was found to be up again that stays so for the task.

    Raises CloudUnavailable when Nova does not tell.
    """
    before = recovery.recall(task, Reports)
    if before is not None and before.is_up:
        return Source.UP
    service = recovery.nova.service(recovery.host.name)
    state, reports = compare(before, service, recovery.world.clock.now())
    if reports != before:
        recovery.remember(task, reports)
        if state is not Source.DOWN:
            log.get().warning("failed host reports again", host=recovery.host.name, is_up=reports.is_up)
    return state


def is_up_again(recovery: Recovery, task: TaskRow) -> bool:
    """Say whether the failed host was found to be up again."""
    reports = recovery.recall(task, Reports)
    return reports is not None and reports.is_up
