"""Limits of HTTP exchanges as a whole: in time, however slowly the other side answers, and in size.

The time limits of urllib3, and of all that is made of it (requests, keystoneauth, python-consul, kubernetes), are for
one read each: a server that sends a byte a second is never over them. Here are connections for them that have an end.
Only the look-up of a name has limits of its own, those of the system.
"""

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from typing import Any

from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection

from instance_ha.models.errors import TimeIsUp

_LONGEST = 120.0  # seconds for each part of an exchange that nobody has given less
_LARGEST = 64 << 20  # bytes of an answer: a page of Nova's list has a few MiB


@dataclass
class _Deadline:
    until: float  # by the monotonic clock
    used: bool = False  # a connection of ours has been held to it


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let all exchanges of a block take ``seconds`` together, also those that a library makes by itself.

    Blocks are not nested.

    Raises:
        TimeIsUp: they did not end in time.

    """
    deadline = _Deadline(time.monotonic() + seconds)
    token = _deadline.set(deadline)
    try:
        yield
    except Exception as error:
        if deadline.used and time.monotonic() >= deadline.until:
            raise TimeIsUp from error
        raise
    finally:
        _deadline.reset(token)


def _left(seconds: float | None) -> float:
    """Return how long a part of an exchange may take; the time may be over since another thread fetched a token."""
    given, deadline = _LONGEST if seconds is None else float(seconds), _deadline.get()
    if deadline is None:
        return given
    deadline.used = True
    if (left := deadline.until - time.monotonic()) <= 0:
        raise TimeoutError("the time is up")  # a request that was to be sent by then is not sent any more
    return min(given, left)


class LimitedConnection(HTTPConnection):
    """A connection that is given up when the time of its exchange is over, or its answer is too large."""

    def _new_conn(self) -> socket.socket:
        self._begin()  # for what a proxy answers
        connected = super()._new_conn()
        connected.settimeout(_left(self.timeout))  # for the TLS handshake
        return connected

    def send(self, data: Any) -> None:
        """Send; the socket's limit is for all of the data."""
        if self.sock is not None:
            self.sock.settimeout(_left(self.timeout))
        super().send(data)

    def getresponse(self) -> Any:
        """Wait for the answer, whose body is read until the same time."""
        self._begin()
        return super().getresponse()

    def _begin(self) -> None:
        self.timeout = _left(self.timeout)
        self.response_class = partial(_response, time.monotonic() + self.timeout)  # type: ignore[assignment]


Pools = dict[str, type[HTTPConnectionPool]]


def limited(pools: Pools, connection: type[LimitedConnection] = LimitedConnection) -> Pools:
    """Return the same pools by their schemes, but with limited connections."""
    return {
        scheme: type(
            pool.__name__, (pool,), {"ConnectionCls": type("Connection", (connection, pool.ConnectionCls), {})}
        )
        for scheme, pool in pools.items()
    }


def limit(manager: PoolManager, connection: type[LimitedConnection] = LimitedConnection) -> None:
    """Let a pool manager, of whatever library, make connections with these limits."""
    manager.pool_classes_by_scheme = limited(manager.pool_classes_by_scheme, connection)


def _response(until: float, connected: socket.socket, **how: Any) -> HTTPResponse:
    return HTTPResponse(_Reader(connected, until), **how)  # type: ignore[arg-type]


class _Reader(io.RawIOBase):
    """What is read of a socket until a time, and up to a size."""

    def __init__(self, connected: socket.socket, until: float) -> None:
        super().__init__()
        self._socket = connected
        self._file = connected.makefile("rb", buffering=0)
        self._until = until
        self._remaining = _LARGEST

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Be read by ``http.client``."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there.

        Raises:
            TimeoutError: the time is up.
            OSError: the answer is too large.

        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)
        got = self._file.readinto(buffer)
        self._remaining -= got or 0
        if self._remaining < 0:
            raise OSError(f"the answer has more than {_LARGEST} bytes")
        return got

    def close(self) -> None:
        """Let go of the socket."""
        self._file.close()
        super().close()
