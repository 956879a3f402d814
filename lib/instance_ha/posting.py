"""HTTP POST to receivers that are not ours: bounded in time and size as a whole, no redirects, no proxies.

The time limits of the usual clients are for one read each: a receiver that sends a byte a second is never over them.
Only the look-up of a name has limits of its own, those of the system.
"""

import io
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from select import POLLIN, poll
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit


class NotAnswered(Exception):
    """No answer came; whether the receiver has the request is not known. The text names no address."""


class AnsweredLate(NotAnswered):
    """The receiver has the whole request, and has not answered in time; it still can, while ``connection`` is kept."""

    def __init__(self, connection: HTTPConnection) -> None:
        super().__init__("no answer in time")
        self.connection = connection


@dataclass(frozen=True)
class Response:
    """An answer; ``complete`` says whether the body is all of it."""

    status: int
    body: bytes
    complete: bool


class Poster:
    """Posts, on connections that are kept; for several threads at once."""

    def __init__(self, connect_timeout: float, *, most: int = 4096, kept: int = 8) -> None:
        """Make one: ``connect_timeout`` in seconds, ``most`` bytes of an answer that are read, ``kept`` connections."""
        self._connect_timeout = connect_timeout
        self._most = most
        self._kept = kept
        self._idle: dict[tuple[str, str], list[HTTPConnection]] = defaultdict(list)
        self._lock = threading.Lock()

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], seconds: float, late_after: float | None = None
    ) -> Response:
        """Post; it takes ``seconds`` at most, from the connecting to the last byte of the answer.

        Raises:
            AnsweredLate: ``late_after`` seconds after the request was sent there was no answer yet.
            NotAnswered: there was no answer, or not all of it in time.

        """
        deadline = time.monotonic() + seconds
        try:
            return self._post(urlsplit(url), body, dict(headers), deadline, late_after)
        except TimeoutError:
            raise NotAnswered("no answer in time") from None
        except (OSError, HTTPException, ValueError) as error:
            raise NotAnswered(type(error).__name__) from None

    def _post(
        self, url: SplitResult, body: bytes, headers: dict[str, str], deadline: float, late_after: float | None
    ) -> Response:
        place = url.scheme, url.netloc.rpartition("@")[2]
        request = "POST", (url.path or "/") + (f"?{url.query}" if url.query else ""), body, headers
        headers["User-Agent"] = "masakari-functions"
        if url.username is not None:
            login = f"{unquote(url.username)}:{unquote(url.password or '')}"
            headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
        if (idle := self._idle_connection(place)) is not None:
            with suppress(ConnectionError):  # closed by the receiver at this moment: once more, on a new one
                return self._exchange(idle, place, request, deadline, late_after)
        return self._exchange(self._new_connection(place), place, request, deadline, late_after)

    def _exchange(
        self,
        connection: HTTPConnection,
        place: tuple[str, str],
        request: Any,
        deadline: float,
        late_after: float | None,
    ) -> Response:
        try:
            connection.timeout = max(0.001, min(self._connect_timeout, deadline - time.monotonic()))
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            connection.request(*request)
            if late_after is not None:
                deadline = min(deadline, time.monotonic() + late_after)
            connection.response_class = partial(_response, deadline)  # type: ignore[assignment]
            try:
                response = connection.getresponse()
            except TimeoutError:
                if late_after is None:
                    raise
                raise AnsweredLate(connection) from None
            data = response.read(self._most)
            complete = (response.isclosed() or not response.read(1)) and not response.length
        except AnsweredLate:
            raise
        except BaseException:
            connection.close()
            raise
        if complete and not response.will_close:
            self._give_back(place, connection)
        else:
            response.close()
            connection.close()
        return Response(response.status, data, complete)

    def _idle_connection(self, place: tuple[str, str]) -> HTTPConnection | None:
        while True:
            with self._lock:
                idle = self._idle[place]
                connection = idle.pop() if idle else None
            if connection is None or not _has_input(connection):
                return connection
            connection.close()  # the receiver has closed it meanwhile

    def _new_connection(self, place: tuple[str, str]) -> HTTPConnection:
        scheme, netloc = place
        return HTTPSConnection(netloc, context=self.tls) if scheme == "https" else HTTPConnection(netloc)

    def _give_back(self, place: tuple[str, str], connection: HTTPConnection) -> None:
        with self._lock:
            if len(self._idle[place]) < self._kept:
                self._idle[place].append(connection)
                return
        connection.close()

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Believe the system's authorities, and those that come with Python's usual clients."""
        context = ssl.create_default_context()
        with suppress(ImportError):
            import certifi

            context.load_verify_locations(certifi.where())
        return context


def _has_input(connection: HTTPConnection) -> bool:
    """Say whether an idle connection has something to read: its end, or what nobody has asked for."""
    asked = poll()
    asked.register(connection.sock, POLLIN)
    return bool(asked.poll(0))


def _response(deadline: float, sock: socket.socket, **how: Any) -> HTTPResponse:
    return HTTPResponse(_Timed(sock, deadline), **how)  # type: ignore[arg-type]


class _Timed(io.RawIOBase):
    """What is read of a socket until a time, however slowly it comes."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._deadline = deadline

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

        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._file.close()
        super().close()
