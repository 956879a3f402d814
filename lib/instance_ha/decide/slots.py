"""How many more evacuations may begin."""

from collections.abc import Iterable

from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.rows import VMove


def free(moves: Iterable[VMove], limit: int) -> int:
    """Count the free slots: an evacuation holds one from its start until Nova has finished it."""
    busy = sum(1 for m in moves if m.status is VMoveStatus.ONGOING and m.step is not VMoveStep.SETTLE)
    return max(0, limit - busy)
