"""What a sink's answer means, and when to give a letter up."""

from datetime import datetime, timedelta
from enum import Enum, auto


class Answer(Enum):
    """What becomes of an event that was sent."""

    TAKEN = auto()
    REFUSED = auto()  # this one; the next may be taken
    AWAY = auto()  # nothing is taken now


# They tell of the sink (its address, our password, its load), not of the event.
_OF_THE_SINK = frozenset({401, 403, 404, 405, 407, 408, 410, 421, 423, 425, 429})


def judge(code: int) -> Answer:
    """Read the HTTP status that a sink answered."""
    if 200 <= code < 300:
        return Answer.TAKEN
    return Answer.REFUSED if 400 <= code < 500 and code not in _OF_THE_SINK else Answer.AWAY


def hopeless_before(failing_since: datetime, now: datetime, limit: float) -> datetime | None:
    """Say how old a letter is that is given up, None while its sink has not failed for that long.

    Age alone is no reason: it may be we who were away.
    """
    oldest = now - timedelta(seconds=limit)
    return oldest if failing_since <= oldest else None


def is_hopeless(created_at: datetime, now: datetime, limit: float) -> bool:
    """Say whether a refused letter is given up."""
    return created_at <= now - timedelta(seconds=limit)
