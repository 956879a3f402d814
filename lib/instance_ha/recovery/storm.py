"""The storm gates, asked once more of a recovery that has begun and evacuated nothing yet."""

from instance_ha.decide.hold import Hold
from instance_ha.recovery.gates import ask_again
from instance_ha.recovery.host_given_back import has_begun
from instance_ha.recovery.recovery import Recovery


def storm(recovery: Recovery) -> Hold | None:
    """Say whether a storm holds a recovery; what has begun to evacuate ends as it would."""
    return None if has_begun(recovery) else ask_again(recovery.claim, recovery.host)
