"""The storm gates, asked for what was held after it had begun."""

from instance_ha.decide.hold import Hold
from instance_ha.recovery.gates import ask_again
from instance_ha.recovery.host_given_back import has_begun
from instance_ha.recovery.recovery import Recovery


def storm(recovery: Recovery) -> Hold | None:
    """Say whether a storm holds a recovery that has evacuated nothing; one that was not held was asked just before."""
    if recovery.notification.held_since is None or has_begun(recovery):
        return None
    return ask_again(recovery.claim, recovery.host)
