"""How a recovery ended, by its vmoves; and when to try again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.models.enums import NotificationStatus, VMoveStatus
from instance_ha.models.rows import VMove


@dataclass(frozen=True)
class Tally:
    """Counts of the final vmoves of one attempt, and the first reasons of those that failed."""

    succeeded: int
    ignored: int
    failed: int
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        """One sentence for the notification's message."""
        parts = [f"{self.succeeded} of {self.succeeded + self.failed} instances evacuated"]
        if self.ignored:
            parts.append(f"{self.ignored} ignored")
        if self.failed:
            parts.append(f"{self.failed} failed: {'; '.join(self.reasons)}")
        return ", ".join(parts)


def tally(moves: Iterable[VMove]) -> Tally:
    """Count one attempt's vmoves; earlier attempts do not matter (reference, 10.1 R1)."""
    counts = dict.fromkeys(VMoveStatus, 0)
    reasons: list[str] = []
    for move in moves:
        counts[move.status] += 1
        if move.status is VMoveStatus.FAILED and len(reasons) < 3:
            reasons.append(f"{move.instance_name} ({move.instance_uuid}): {move.message}")
    return Tally(counts[VMoveStatus.SUCCEEDED], counts[VMoveStatus.IGNORED], counts[VMoveStatus.FAILED], tuple(reasons))


@dataclass(frozen=True)
class Retry:
    """What a failed attempt leads to."""

    status: NotificationStatus
    due_at: datetime | None


def after_failure(attempt: int, attempts: int, now: datetime, pause: float) -> Retry:
    """Try again after ``pause`` seconds, unless that was the last attempt."""
    if attempt >= attempts:
        return Retry(NotificationStatus.FAILED, None)
    return Retry(NotificationStatus.ERROR, now + timedelta(seconds=pause))


def back_off(tries: int, now: datetime) -> datetime:
    """When to look again after the ``tries``-th passing trouble in a row: 1, 2, 4 … at most 60 s later."""
    return now + timedelta(seconds=min(60.0, 2.0 ** min(tries - 1, 6)))
