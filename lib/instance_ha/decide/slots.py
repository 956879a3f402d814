"""How many evacuations are in flight."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median_low

from instance_ha.models.enums import UNDER_WAY, VMoveStatus, VMoveStep
from instance_ha.models.rows import VMove

LONGEST_PAUSE = 5.0  # seconds; a lease outlasts it
_SHARE = 3  # of how long evacuations have lasted: so much later than they end they are noticed


def pause(moves: Iterable[VMove], now: datetime, interval: float) -> float:
    """Say how many seconds to wait before Nova is asked again: the longer evacuations last, the more.

    Evacuations that take a minute need no question each half second. Their median age counts: neither those that have
    just begun, nor one that hangs.
    """
    ages = [(now - move.asked_at).total_seconds() for move in moves if move.asked_at and move.step in UNDER_WAY]
    return max(interval, min(LONGEST_PAUSE, median_low(ages or [0.0]) / _SHARE))


def rest(pause: float, asking: float) -> float:
    """Say how much of a pause is left when it took so many seconds to ask, and to begin what may begin.

    A Nova that takes long to answer rests as long as it has worked.
    """
    return max(pause - asking, min(asking, LONGEST_PAUSE))


def free(ongoing: Sequence[VMove], done: Sequence[tuple[VMove, str | None]], most: int) -> int:
    """Count the evacuations that may begin.

    ``done`` are those of ``ongoing`` that Nova has just finished, and where they went. None begins while a failure is
    not counted yet: as many as are in flight may have failed together, and be reason enough to stop.
    """
    settling = any(move.step is VMoveStep.SETTLE and move.dest_host is None for move in ongoing)
    if settling or any(dest_host is None for _, dest_host in done):
        return 0
    return most - busy(ongoing) + len(done)


def busy(moves: Iterable[VMove]) -> int:
    """Count the slots in use: an evacuation holds one from its start until Nova is done with it."""
    return sum(1 for m in moves if m.status is VMoveStatus.ONGOING and m.step is not VMoveStep.SETTLE)
