"""The end of a recovery whose host proves to be alive: reported by mistake, or back before Nova missed it."""

from instance_ha.models.enums import NotificationStatus
from instance_ha.models.rows import TaskRow
from instance_ha.recovery import host_reset
from instance_ha.recovery.host_given_back import give_host_back, has_begun, how_far, is_back
from instance_ha.recovery.recovery import NotYet, Outcome, Recovery, Skip


def end_for_live_host(recovery: Recovery, task: TaskRow) -> Outcome:
    """Give back what was changed of a live host, unless something was evacuated; what its reset shut off is started.

    Raises:
        CloudUnavailable: Nova does not answer; it may be done again.

    """
    if has_begun(recovery):
        return is_back(recovery, how_far(recovery))
    given_back = give_host_back(recovery)
    restarted = host_reset.restart(recovery, task)
    if restarted is None:
        return NotYet()
    reason = (
        f"host {recovery.host.name} is alive: its nova-compute went on reporting to Nova, so nothing was evacuated; "
        f"{given_back.text}"
    )
    status = NotificationStatus.FINISHED if restarted.running else NotificationStatus.IGNORED
    if restarted.failed:
        status = NotificationStatus.FAILED
    return Skip("; ".join(filter(None, (reason, restarted.text))), status, given_back.host_changes)
