"""What a third-party task of a recovery flow is made with; the contract is told in docs/custom-tasks.md.

::

    from instance_ha.custom import ProgressCallback, TaskFacts, custom_task

    @custom_task(time_limit=10, attempts=3, required=False)
    def alert(facts: TaskFacts, report: ProgressCallback) -> None:
        ...
"""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["CustomTask", "ProgressCallback", "TaskFacts", "TaskFunction", "custom_task"]


@dataclass(frozen=True)
class TaskFacts:
    """What a task is told: the failure, and what is done about it."""

    notification_uuid: str
    host_name: str
    segment_name: str
    flow: str
    instance_uuid: str | None = None
    process_name: str | None = None
    reserved_hosts: tuple[str, ...] = ()  # that this recovery has used so far


ProgressCallback = Callable[[float, str], None]
"""Adds a line to the progress that the API shows: how much is done (0.0 to 1.0), and a message."""

TaskFunction = Callable[[TaskFacts, ProgressCallback], None]


@dataclass(frozen=True)
class CustomTask:
    """A task and its bounds. It fails by raising; then the flow fails, unless the task is not ``required``."""

    function: TaskFunction
    time_limit: float = 30.0  # seconds; whatever still runs then is abandoned and has failed
    attempts: int = 1  # how often it may be begun; 1: never again, though nobody knows whether it had worked
    required: bool = True


def custom_task(
    *, time_limit: float = 30.0, attempts: int = 1, required: bool = True
) -> Callable[[TaskFunction], CustomTask]:
    """Make a function a task."""

    def make(function: TaskFunction) -> CustomTask:
        return CustomTask(function, time_limit, attempts, required)

    return make
