"""How many evacuations are in flight."""

from collections.abc import Iterable

from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.rows import VMove


def busy(moves: Iterable[VMove]) -> int:
    """Count the slots in use: an evacuation holds one from its start until Nova is done with it."""
    return sum(1 for m in moves if m.status is VMoveStatus.ONGOING and m.step is not VMoveStep.SETTLE)
