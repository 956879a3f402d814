"""Noop: the original's sample of a customised task; it says that it was there."""

from instance_ha.models.enums import TaskState
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import Done, Outcome, Recovery


def no_op(recovery: Recovery, task: TaskRow) -> Outcome:
    """Do nothing."""
    recovery.report(task, 1.0, "Nothing to do", TaskState.SUCCESS)
    return Done()
