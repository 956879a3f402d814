"""What an API of OpenStack says when it refuses."""

from typing import Any


def text_of(answer: Any) -> str:
    """Return the message of a fault, or else how the answer begins, in 200 characters."""
    try:
        return str(next(iter(answer.json().values()))["message"])
    except (ValueError, TypeError, KeyError, StopIteration, AttributeError):
        return str(answer.text).strip()[:200]
