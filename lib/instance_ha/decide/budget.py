"""How many evacuations may be in flight at once, over all failed hosts of a segment: the important instances first.

What Nova can bear is learnt as TCP learns what a network can: half at each trouble, and slowly more without one.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.models.budget import InFlight, Queue, Rank, Throttle

_LEAST = 1 / 64  # of what is set
_GROWS = 0.01  # a second: from a half to the whole in 50 s
_NOT_AGAIN = timedelta(seconds=10)  # after so long what is seen of Nova shows what a halving has brought


@dataclass(frozen=True)
class Limits:
    """What the operator has set: evacuations in flight at once."""

    notification: int
    segment: int
    destination: int


def share(stored: Throttle | None, now: datetime) -> float:
    """Say which share of what is set may be in flight: 1 while Nova does not struggle."""
    if stored is None:
        return 1.0
    return min(1.0, stored.share + _GROWS * max(0.0, (now - stored.changed_at).total_seconds()))


def halve(stored: Throttle | None, now: datetime) -> Throttle | None:
    """Halve the share, since Nova struggles; None when that was done a moment ago."""
    if stored is not None and now - stored.changed_at < _NOT_AGAIN:
        return None
    return Throttle(share=max(_LEAST, share(stored, now) / 2), changed_at=now)


def most(number: int, part: float) -> int:
    """Say how many are a share of a limit: one at least, so that it goes on."""
    return max(1, int(number * part))


def free(limits: Limits, flight: InFlight, part: float) -> int:
    """Count the evacuations that a recovery may begin now, if no other one has a better claim.

    Args:
        limits: what is set.
        flight: what is in flight.
        part: the share of it that Nova can bear.

    """
    slots = (
        most(limits.notification, part) - flight.of_notification,
        most(limits.segment, part) - flight.of_segment,
        most(limits.destination, part) - flight.to_target,
    )
    return max(0, min(slots))


def in_turn(own: Queue, others: Iterable[Queue], slots: int, most_of_each: int) -> int:
    """Say how many of a recovery's next instances may begin where all recoveries of a segment share so many slots.

    An instance waits while others of a higher rank, which could begin now, need the slots.

    Args:
        own: what the recovery would begin next.
        others: what other recoveries would.
        slots: how many may begin in all.
        most_of_each: how many one recovery may have in flight.

    """
    able = (rank for queue in others for rank in queue.ranks[: max(0, most_of_each - queue.in_flight)])
    higher_first = sorted(map(_order, able))
    for number, rank in enumerate(own.ranks):
        if number + bisect_left(higher_first, _order(rank)) >= slots:
            return number
    return len(own.ranks)


def of_level(own: Queue, unready: int | None) -> int:
    """Say how many of a recovery's next instances have no lower HA_Priority than any that is not ready."""
    return sum(1 for priority, _ in own.ranks if unready is None or priority >= unready)


def _order(rank: Rank) -> tuple[int, bool]:
    return -rank[0], not rank[1]
