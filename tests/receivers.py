"""Receivers of posts that answer as a test says: real sockets on this machine."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Serve = Callable[[socket.socket], None]
Start = Callable[[Serve], str]


class Receiver:
    """Reads each request whole, and lets a test answer it."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self.stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/events"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
        with connection, suppress(OSError):
            while request := read_request(connection):
                self._serve(connection)
                if b"connection: close" in request.lower():
                    return

    def close(self) -> None:
        """End."""
        self.stop.set()
        self._listener.close()


def read_request(connection: socket.socket) -> bytes:
    """Read a request with a short body; nothing at the end of a connection."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65536)
        if not more:
            return b""
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def drip(data: bytes) -> Serve:
    """Send one byte at a time, for ever."""

    def serve(connection: socket.socket) -> None:
        pause = threading.Event()
        for position in count():
            connection.sendall(data[position : position + 1] or b"x")
            pause.wait(0.02)

    return serve


def flood(sent: list[int], most: int = 300) -> Serve:
    """Answer with a body of ``most`` MiB whose end nobody has told; ``sent`` gets an entry for each that was taken."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while len(sent) < most:
            connection.sendall(b"x" * 2**20)
            sent.append(1)
        connection.close()

    return serve


@contextmanager
def receiver(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run one; yields its URL."""
    started = Receiver(serve, tls)
    try:
        yield started.url
    finally:
        started.close()
