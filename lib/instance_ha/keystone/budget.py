"""How often Keystone is asked about tokens that it refuses: anybody can make up as many as they like."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import sha256

_WINDOW = 60.0  # seconds
_KNOWN = 1000  # tokens


class LatestTokens:
    """Remembers so many of the latest tokens, by their digests."""

    def __init__(self) -> None:
        self._digests: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, token: str) -> None:
        """Remember a token."""
        with self._lock:
            self._digests[_digest(token)] = None
            self._digests.move_to_end(_digest(token))
            if len(self._digests) > _KNOWN:
                self._digests.popitem(last=False)

    def __contains__(self, token: str) -> bool:
        """Say whether a token is remembered."""
        with self._lock:
            return _digest(token) in self._digests


class Budget:
    """Counts refused tokens; when there were too many within a minute, only tokens accepted before are allowed."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._refused: deque[float] = deque(maxlen=limit)  # when
        self._accepted = LatestTokens()

    def allows(self, token: str) -> bool:
        """Say whether Keystone may be asked about a token."""
        with self._lock:
            full = len(self._refused) == self._limit and self._clock() < self._refused[0] + _WINDOW
            return not full or token in self._accepted

    def refused(self) -> None:
        """Note that Keystone has refused a token."""
        with self._lock:
            self._refused.append(self._clock())

    def accepted(self, token: str) -> None:
        """Note that Keystone knows a token."""
        self._accepted.add(token)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
