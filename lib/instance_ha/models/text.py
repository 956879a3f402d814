"""Words and times as people and other systems write them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

LOCK_REASON = "masakari: notification "  # begins the reason of every lock of ours
TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
FALSE = frozenset({"0", "f", "false", "off", "n", "no"})


def utc(text: str) -> datetime:
    """Read an ISO 8601 time; without a zone it is in UTC.

    Raises:
        ValueError: it is none.

    """
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None


NO_VALID_HOST = "No valid host"  # what Nova's scheduler says of an instance; it says nothing of others


def names_in_words(names: Sequence[str]) -> str:
    """Write the first ten names, and how many more there are."""
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def counted(number: int, one: str) -> str:
    """Write how many there are of what is called ``one``, and more of it with an s."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def age_in_words(since: timedelta) -> str:
    """Write how long ago something was, in its largest unit of which there are two at least."""
    seconds = max(0, int(since.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def values_in_words(values: Mapping[str, object]) -> str:
    """Write what was seen, by name."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
