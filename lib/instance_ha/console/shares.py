"""A long list, a share of it on each page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_MOST_DIGITS = 6


@dataclass(frozen=True)
class Share(Generic[T]):
    """One page of a list, from 1."""

    items: Sequence[T]
    page: int
    pages: int
    total: int


def share(items: Sequence[T], page: str | None, size: int) -> Share[T]:
    """Take the share that an address asks for; what makes no sense is the first, what is beyond the last."""
    pages = max(1, -(-len(items) // size))
    asked = int(page) if page and page.isascii() and page.isdigit() and len(page) <= _MOST_DIGITS else 1
    shown = min(max(asked, 1), pages)
    return Share(items[(shown - 1) * size : shown * size], shown, pages, len(items))


def number(text: str | None) -> int | None:
    """Read the id beyond which a list goes on; None: there is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None
