"""How many evacuations are in flight, and when to ask for them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from math import inf
from statistics import median_low

from instance_ha.models.enums import UNDER_WAY, VMoveStatus, VMoveStep
from instance_ha.models.rows import VMove

LONGEST_PAUSE = 5.0  # seconds; a lease outlasts it
_SHARE = 3  # of how long evacuations have lasted: so much later than they end they are noticed
_SHORTEST = 0.1  # seconds between two questions, however surely one is about to end
_QUESTION = 0.1  # what one is worth: one slot, unused for such a share of how long an evacuation lasts


def pause(moves: Iterable[VMove], now: datetime, interval: float) -> float:
    """Say how many seconds to wait before Nova is asked again: the longer evacuations last, the more.

    Evacuations that take a minute need no question each half second. Their median age counts: neither those that have
    just begun, nor one that hangs.
    """
    ages = [(now - move.asked_at).total_seconds() for move in moves if move.asked_at and move.step in UNDER_WAY]
    return max(interval, min(LONGEST_PAUSE, median_low(ages or [0.0]) / _SHARE))


def next_end(moves: Iterable[VMove], now: datetime, lasted: Sequence[float]) -> float:
    """Say in how many seconds to ask, by how long evacuations have ``lasted`` since they were begun; inf if none has.

    Each that is under way lasts as long as one of those that have lasted longer than it has so far; one that outlasts
    them all is as late again. Others that end a moment later are asked for with the first, as long as the slots that
    are unused meanwhile are worth less than another question.
    """
    if not lasted:
        return inf
    ages = [(now - m.start_time).total_seconds() for m in moves if m.start_time and m.step in UNDER_WAY]
    last, ended, unused = inf, 0.0, 0.0  # on average: how many have ended, for how long their slots were unused
    for left, share in sorted(chain.from_iterable(_ends(age, lasted) for age in ages)):
        if ended:
            unused += ended * (left - last)
        if unused > _QUESTION * median_low(lasted):
            break
        last, ended = left, ended + share
    return last


def _ends(age: float, lasted: Sequence[float]) -> Iterable[tuple[float, float]]:
    """Say in how many seconds an evacuation may end, and how likely each is."""
    longer = [max(_SHORTEST, seconds - age) for seconds in lasted if seconds > age]
    if not longer:
        return [(max(_SHORTEST, age - max(lasted)), 1.0)]
    return [(left, 1 / len(longer)) for left in longer]


def settles(moves: Iterable[VMove]) -> bool:
    """Say whether rows will be written soon: an evacuation is about to be asked for, or a failure to be counted.

    What has moved and is being closed holds no slot; it matters when nothing else is left to wait for.
    """
    steps = [(move.step, move.dest_host) for move in moves]
    under_way = any(step in UNDER_WAY for step, _ in steps)
    return not under_way or any(step not in UNDER_WAY and dest_host is None for step, dest_host in steps)


def rest(pause: float, asking: float) -> float:
    """Say how much of a pause is left when it took so many seconds to ask, and to begin what may begin.

    A Nova that takes long to answer rests as long as it has worked.
    """
    return max(pause - asking, min(asking, LONGEST_PAUSE))


def until_next(pause: float, next_end: float, asking: float) -> float:
    """Say how long to rest: until the next end is expected, and no longer than without knowing of one."""
    return min(rest(pause, asking), rest(next_end + asking, asking))


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
