"""The storm gates, asked once more of a recovery that has begun and evacuated nothing yet."""

from functools import partial

from instance_ha.decide.hold import Hold
from instance_ha.models.evidence import EvidenceKind
from instance_ha.recovery.gates import ask_again
from instance_ha.recovery.host_given_back import has_begun
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import evidence

_FENCED = frozenset({EvidenceKind.POWER_OFF})


def storm(recovery: Recovery) -> Hold | None:
    """Say whether a storm holds a recovery."""
    return ask_again(recovery.claim, recovery.host, partial(_goes_on, recovery))


def _goes_on(recovery: Recovery) -> bool:
    """Say whether it goes on in a storm: what has begun to evacuate ends as it would.

    And a host whose power was cut is not left off without its instances running elsewhere.
    """
    if has_begun(recovery):
        return True
    with recovery.claim.read() as connection:
        return evidence.is_there(connection, recovery.notification.notification_uuid, _FENCED)
