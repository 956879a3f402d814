"""What a task of somebody else gets and offers (docs/custom-tasks.md). Kept stable: others build on it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """What the recovery is about. Names are those of the REST API."""

    notification_uuid: str
    type: str  # COMPUTE_HOST, VM or PROCESS
    attempt: int  # 1 for the first; a new attempt runs the whole flow again
    host: str  # name of the failed host, or of the one on which something failed
    segment_uuid: str | None
    instance_uuid: str | None = None  # of a VM failure
    process_name: str | None = None  # of a PROCESS failure
    reserved_host: str | None = None  # name, once one has been taken


class Report(Protocol):
    """Shows how far a task is; from 1.1 on the API tells it in recovery_workflow_details."""

    def __call__(self, progress: float, message: str) -> None:
        """Say something; ``progress`` is between 0 and 1."""


class CustomTask(Protocol):
    """A task that comes from another package, by an entry point of the group ``instance_ha.tasks``.

    ``name`` is what the API shows; ``time_limit`` is in seconds; ``retries`` says how often the task may be run
    again in one attempt when it has failed or when nobody knows how it ended (0: never).
    """

    name: str
    time_limit: float
    retries: int

    def run(self, facts: TaskFacts, report: Report) -> None:
        """Do it; whatever is raised makes the task fail, and its text is the reason."""


@dataclass(frozen=True)
class UrlAnswer:
    """What the owner of a task that is a URL says of it: state is done, failed or running."""

    state: str
    message: str = ""


class UrlTasks(Protocol):
    """Asks the owner of a URL to run a task, or how it stands: it is the same question, with the same id."""

    def ask(self, url: str, event_id: str, facts: TaskFacts) -> UrlAnswer:
        """Ask.

        Raises:
            TaskUnavailable: there was no answer, or 5xx, 408 or 429: ask again.
            RecoveryFailed: there was an answer that is no use.

        """
