"""How often Keystone is asked about tokens that it refuses: anybody can make up as many as they like."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import sha256

_WINDOW = 60.0  # seconds
_KNOWN = 1000  # tokens


class Budget:
    """Counts refused tokens; when there were too many within a minute, only tokens accepted before are allowed."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._refused: deque[float] = deque(maxlen=limit)  # when
        self._accepted: OrderedDict[bytes, None] = OrderedDict()  # digests, the latest last

    def allows(self, token: str) -> bool:
        """Say whether Keystone may be asked about a token."""
        with self._lock:
            full = len(self._refused) == self._limit and self._clock() < self._refused[0] + _WINDOW
            return not full or _digest(token) in self._accepted

    def refused(self) -> None:
        """Note that Keystone has refused a token."""
        with self._lock:
            self._refused.append(self._clock())

    def accepted(self, token: str) -> None:
        """Note that Keystone knows a token."""
        with self._lock:
            self._accepted[_digest(token)] = None
            self._accepted.move_to_end(_digest(token))
            if len(self._accepted) > _KNOWN:
                self._accepted.popitem(last=False)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
