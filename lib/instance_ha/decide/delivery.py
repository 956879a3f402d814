"""What a sink's answer means, when a sink is tried again, and when a message becomes a dead letter."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from instance_ha.decide.outcome import back_off


class DeliveryResult(Enum):
    """What becomes of an event that was sent."""

    TAKEN = auto()
    REFUSED = auto()  # this one; the next may be taken
    UNAVAILABLE = auto()  # nothing is taken now


# They are about the sink (its address, our password, its load), not about the event.
_OF_THE_SINK = frozenset({401, 403, 404, 405, 407, 408, 410, 421, 423, 425, 429})


def delivery_result(code: int) -> DeliveryResult:
    """Read the HTTP status that a sink answered."""
    if 200 <= code < 300:
        return DeliveryResult.TAKEN
    if 400 <= code < 500 and code not in _OF_THE_SINK:
        return DeliveryResult.REFUSED
    return DeliveryResult.UNAVAILABLE


@dataclass(frozen=True)
class SinkHealth:
    """Since when a sink has been unavailable, how often it was tried since, and when it is tried again."""

    tries: int = 0
    failing_since: datetime | None = None
    due_at: datetime | None = None
    reason: str | None = None


def sink_health(before: SinkHealth, now: datetime, *, any_delivered: bool, reason: str | None) -> SinkHealth:
    """Say how a sink does after a batch; ``reason`` says why it took no more, None if it did."""
    if reason is None:
        return SinkHealth()
    tries = 1 if any_delivered else before.tries + 1
    since = now if any_delivered else before.failing_since or now
    return SinkHealth(tries, since, back_off(tries, now), reason)


def dead_letter_before(failing_since: datetime, now: datetime, limit: float) -> datetime | None:
    """Say how old a message is that is given up, None while its sink has not failed for ``limit`` seconds.

    Age alone is no reason: the relay itself may have been away.
    """
    oldest = now - timedelta(seconds=limit)
    return oldest if failing_since <= oldest else None


def is_dead_letter(created_at: datetime, now: datetime, limit: float) -> bool:
    """Say whether a refused message is given up: it is ``limit`` seconds old."""
    return created_at <= now - timedelta(seconds=limit)
