"""HTTP POST to receivers that are not ours: limited in time and size as a whole, no redirects, no proxies."""

import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as NotInTime
from urllib3.util import parse_url

from instance_ha.http_limits import LimitedConnection, limit, within
from instance_ha.models.errors import TimeIsUp


class NotAnswered(Exception):
    """No answer came; whether the receiver has the request is not known. The text names no address."""


class AnsweredLate(NotAnswered):
    """The receiver has the whole request, and has not answered in time; it still can, while ``connection`` is kept."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__("no answer in time")
        self.connection = connection


_PORTS = {"http": 80, "https": 443}


def reach(address: str, seconds: float) -> str:
    """Connect to where a URL leads, and send nothing; returns that, in words.

    Raises:
        OSError: nobody takes the connection.
        ValueError: the URL makes no sense.

    """
    url = urlsplit(address)
    with socket.create_connection((url.hostname or "", url.port or _PORTS[url.scheme]), timeout=seconds):
        return "takes connections; nothing was sent"


@dataclass(frozen=True)
class Response:
    """An answer; ``complete`` says whether the body is all of it."""

    status: int
    body: bytes
    complete: bool


class Poster:
    """Posts, on connections that are kept; for several threads at once."""

    def __init__(
        self, connect_timeout: float, *, most: int = 4096, kept: int = 8, tls: ssl.SSLContext | None = None
    ) -> None:
        """Make one.

        Args:
            connect_timeout: in seconds.
            most: bytes of an answer that are read.
            kept: connections to one receiver.
            tls: whom to believe over TLS; the usual authorities by default.

        """
        self._connect_timeout = connect_timeout
        self._most = most
        self._kept = kept
        self._tls = tls

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], seconds: float, late_after: float | None = None
    ) -> Response:
        """Post; it takes ``seconds`` at most, from the connecting to the last byte of the answer.

        Raises:
            AnsweredLate: ``late_after`` seconds after the request was sent there was no answer yet.
            NotAnswered: there was no answer, or not all of it in time.

        """
        timeout = Timeout(connect=self._connect_timeout, read=seconds if late_after is None else late_after)
        try:
            with within(seconds):
                return self._post(url, body, dict(headers), timeout)
        except AnsweredLate as late:
            if late_after is not None:
                raise
            late.connection.close()
            raise NotAnswered("no answer in time") from None
        except (TimeIsUp, NotInTime):
            raise NotAnswered("no answer in time") from None
        except (HTTPError, OSError, ValueError, OverflowError) as error:  # OverflowError: a port that is none
            raise NotAnswered(type(error).__name__) from None

    def _post(self, url: str, body: bytes, headers: dict[str, str], timeout: Timeout) -> Response:
        address = parse_url(url)
        headers["User-Agent"] = "masakari-functions"
        if address.auth is not None:
            headers["Authorization"] = f"Basic {b64encode(unquote(address.auth).encode()).decode()}"
        answer = (self._secure if address.scheme == "https" else self._plain).urlopen(
            "POST",
            address._replace(auth=None).url,
            body=body,
            headers=headers,
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            enforce_content_length=False,
        )
        data = answer.read(self._most + 1)
        complete = len(data) <= self._most and not answer.length_remaining
        if not complete:
            answer.close()
        return Response(answer.status, data[: self._most], complete)

    @cached_property
    def _plain(self) -> PoolManager:
        pools = PoolManager(maxsize=self._kept)
        limit(pools, _Patient)
        return pools

    @cached_property
    def _secure(self) -> PoolManager:
        pools = PoolManager(maxsize=self._kept, ssl_context=self._tls or _usual_authorities())
        limit(pools, _Patient)
        return pools


class _Patient(LimitedConnection):
    """A connection that is not closed when no answer comes."""

    def getresponse(self) -> Any:
        try:
            return super().getresponse()
        except TimeoutError:
            connection, self.sock = self.sock, None
            raise AnsweredLate(connection) from None


def _usual_authorities() -> ssl.SSLContext:
    """Believe the system's authorities, and those that come with Python's usual clients."""
    context = ssl.create_default_context()
    with suppress(ImportError):
        import certifi

        context.load_verify_locations(certifi.where())
    return context
