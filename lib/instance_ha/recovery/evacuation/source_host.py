"""The failed host itself: whether it still is down, so that instances may be evacuated from it."""

from datetime import datetime, timedelta

from instance_ha import log
from instance_ha.decide.service import Reports, SourceState, compare
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.evacuation.claimed import Evacuation
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import tasks


class SourceHost:
    """The failed host, asked for once in an interval of nova-compute's reports: more often there is nothing new."""

    def __init__(self, recovery: Recovery, task: TaskRow) -> None:
        self._recovery = recovery
        self._task = task
        self._state = SourceState.UNKNOWN
        self._asked_at: datetime | None = None
        self._reports: Reports | None = None  # what this task remembers, which nobody else writes

    def state(self) -> SourceState:
        """Say whether it is down, by an answer of Nova that is no older than the interval.

        Once it was found to be up again that stays so for the task. Raises CloudUnavailable when Nova does not tell.
        """
        now, interval = self._recovery.world.clock.now(), self._recovery.world.settings.nova_report_interval
        if self._asked_at is not None and now - self._asked_at < timedelta(seconds=interval):
            return self._state
        # What this task has seen, or the one of another flow or attempt: a host that came back meanwhile reports again.
        before = self._reports or self._seen_by(self._task.name)
        if before is not None and before.is_up:
            return SourceState.UP
        service = self._recovery.nova.service(self._recovery.host.name)
        if before is None and service is not None and service.forced_down:
            before = self._seen_by(None)  # the task that has forced it down
        self._state, reports = compare(before, service, now, interval)
        self._asked_at, self._reports = now, reports
        if reports != before:
            self._recovery.remember(self._task, reports)
            if self._state is not SourceState.DOWN:
                log.get().warning("failed host reports again", host=self._recovery.host.name, is_up=reports.is_up)
        return self._state

    def _seen_by(self, task_name: str | None) -> Reports | None:
        with self._recovery.claim.read() as connection:
            return tasks.recall_latest(connection, self._recovery.notification.notification_uuid, Reports, task_name)


def is_up_again(recovery: Recovery, task: TaskRow) -> bool:
    """Say whether the failed host was found to be up again."""
    reports = recovery.recall(task, Reports)
    return reports is not None and reports.is_up


def state_now(work: Evacuation) -> SourceState:
    """Ask Nova for the host of an instance right before something is done to it, and compare with what is known.

    Raises CloudUnavailable when Nova does not tell.
    """
    service = work.nova.service(work.move.source_host)
    with work.claim.read() as connection:
        before = tasks.recall_latest(connection, work.move.notification_uuid, Reports)
    settings = work.world.settings
    state, _ = compare(before, service, work.world.clock.now(), settings.nova_report_interval)
    return state
