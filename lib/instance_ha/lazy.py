"""Clients that are made when they are first used: the import of an SDK takes half a second."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Lazy(Generic[T]):
    """Stands for a value until its first use makes it; several first uses at once make one."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: T | None = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)


def lazy(make: Callable[[], T]) -> T:
    """Return a stand-in of the same type. What ``make`` raises is raised at the use; the next use tries again."""
    return cast("T", Lazy(make))
