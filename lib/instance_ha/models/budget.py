"""How many evacuations are in flight in a segment, who waits for a turn, and how much Nova can bear."""

from dataclasses import dataclass
from datetime import datetime

Rank = tuple[int, bool]  # HA_Priority, and whether HA_Enabled is set: the highest goes first


@dataclass(frozen=True)
class Throttle:
    """The share of the usual number of evacuations that may be in flight since Nova struggled; it grows from there."""

    share: float
    changed_at: datetime


@dataclass(frozen=True)
class Queue:
    """What one recovery would begin next."""

    in_flight: int
    ranks: tuple[Rank, ...]  # in their order


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """Evacuations that hold a slot, since Nova is not done with them, and what else tells whether more may begin."""

    of_notification: int
    of_segment: int  # of all running recoveries of its hosts
    to_target: int  # to the host that Nova is told to use; 0: it is told none
    recoveries: int  # of hosts of the segment that are running, this one among them
    failed: int  # of the notification
    may_live: bool  # there is fresh evidence of life of the failed host, since its failure
    throttle: Throttle | None  # None: Nova has never struggled
    own: Queue  # not read where neither others nor levels matter
    others: tuple[Queue, ...] = ()  # of recoveries that have a dispatcher at work
