"""A fence that the policy of a segment has come to ask for while a recovery is held."""

from instance_ha import log
from instance_ha.decide.fencing import is_asked_for_late
from instance_ha.decide.hold import Hold
from instance_ha.decide.service import Reports
from instance_ha.models.enums import NotificationType
from instance_ha.recovery.flows import FENCE_TASK
from instance_ha.recovery.hold import released
from instance_ha.recovery.recovery import Recovery
from instance_ha.recovery.storm import storm
from instance_ha.store import fence_attempts, policies, tasks


def plan_late_fence(recovery: Recovery) -> Hold | None:
    """Put a fence before the task at which a recovery is held, if the policy has come to ask for one meanwhile.

    While a gate holds the recovery its host is not fenced, and nothing else is done: that is what is returned.

    Raises:
        RecoveryDenied: an operator has denied it; no power is cut then.

    """
    row = recovery.notification
    if row.held_since is None or row.type is not NotificationType.COMPUTE_HOST:
        return None
    with recovery.claim.read() as connection:
        task = tasks.next_open(connection, row.notification_uuid, row.attempt)
        policy = policies.of_segment(connection, recovery.host.failover_segment_id)
        attempts = fence_attempts.of_attempt(connection, row.notification_uuid, row.attempt)
        planned = tasks.of_notification(connection, row.notification_uuid)
    states = [one.state for one in planned if one.name == FENCE_TASK and one.attempt == row.attempt]
    if task is None or not is_asked_for_late(policy, row.held_since, states, attempts):
        return None
    if (held := storm(recovery)) is not None:
        return held
    with released(recovery.claim) as connection:
        tasks.insert_before(connection, task, FENCE_TASK)
        tasks.forget(connection, task, Reports)  # what was heard of the host before its power is cut tells nothing then
    log.get().info("fence planned after policy change", fence=str(policy.fence))
    return None
