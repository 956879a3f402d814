"""Whether the nova-compute of a host may start: not while a recovery may evacuate from it."""

from instance_ha.models.rows import Notification


def reason_not_to_start(recovery: Notification | None, *, has_evacuated: bool) -> str | None:
    """Say why nova-compute must not start, if so.

    When it starts it removes the guests of instances that were evacuated by then, and no others: a guest whose
    evacuation comes later would run twice. A recovery that is held and has evacuated nothing forbids nothing: that
    nova-compute starts may be what it waits for, and is seen before anything is evacuated.
    """
    if recovery is None:
        return None
    if recovery.held_since is not None and not has_evacuated:
        return None
    return f"the recovery of the host is open: notification {recovery.notification_uuid} is {recovery.status}"
