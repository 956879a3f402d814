"""A task that does nothing, as an example and to fill a list."""

from instance_ha.models.enums import TaskState
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.recovery import Done, Outcome, Recovery


def no_op(recovery: Recovery, task: TaskRow) -> Outcome:
    """Do nothing, and say so."""
    recovery.progress(task, 1.0, "Nothing to do", TaskState.SUCCESS)
    return Done()
