"""Whether a purge may be made as it is asked for, and what is old enough."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from instance_ha.models.errors import BadRequest

AGE_IN_DAYS, MAX_ROWS = 30, -1
_MOST = 2**31 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PurgeRequest:
    """A purge that is asked for; ``max_rows`` counts over all tables, -1 means all rows."""

    age_in_days: int = AGE_IN_DAYS
    max_rows: int = MAX_ROWS
    dry_run: bool = False


def check(request: PurgeRequest, now: datetime) -> None:
    """Let only pass what makes sense; the order of the checks is that of Masakari.

    Raises:
        BadRequest: says what is wrong.

    """
    if not -1 <= request.max_rows <= _MOST:
        raise BadRequest(f"max_rows must be -1, or between 1 and {_MOST}")
    if request.max_rows == 0:
        raise BadRequest("max_rows must be greater than 0, or -1 for all rows")
    if request.age_in_days < 0:
        raise BadRequest("age_in_days must not be negative")
    if request.age_in_days >= (now - _EPOCH).days:
        raise BadRequest("age_in_days reaches back beyond the epoch")


def cutoff(request: PurgeRequest, now: datetime) -> datetime:
    """Say when a row must have ended to be old enough."""
    return now - timedelta(days=request.age_in_days)


def remaining(request: PurgeRequest, done: int) -> int:
    """Say how many more rows may be purged."""
    return (_MOST if request.max_rows == MAX_ROWS else request.max_rows) - done
