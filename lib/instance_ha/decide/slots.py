"""How many evacuations are in flight."""

from collections.abc import Iterable
from datetime import datetime

from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.rows import VMove

_LONGEST_PAUSE = 5.0  # seconds
_SHARE = 3  # of how long the youngest evacuation has lasted: what is noticed late


def pause(moves: Iterable[VMove], now: datetime, interval: float) -> float:
    """Say how many seconds to wait before Nova is asked again: the longer the youngest evacuation lasts, the more.

    Evacuations that take a minute need no question each half second.
    """
    ages = [(now - move.asked_at).total_seconds() for move in moves if move.asked_at and move.step is VMoveStep.WATCHED]
    return max(interval, min(_LONGEST_PAUSE, min(ages, default=0.0) / _SHARE))


def busy(moves: Iterable[VMove]) -> int:
    """Count the slots in use: an evacuation holds one from its start until Nova is done with it."""
    return sum(1 for m in moves if m.status is VMoveStatus.ONGOING and m.step is not VMoveStep.SETTLE)
