"""New names for all that a recording names: ``host-1``, ``vm-1`` …, in the order in which they are first asked for."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Names(Generic[K]):
    """New names of one kind."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._names: dict[K, str] = {}

    def __getitem__(self, original: K) -> str:
        """Return the new name of something, always the same."""
        return self._names.setdefault(original, f"{self._prefix}-{len(self._names) + 1}")

    def all(self) -> list[str]:
        """Return all new names, the oldest first."""
        return list(self._names.values())
