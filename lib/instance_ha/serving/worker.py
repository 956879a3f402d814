"""Gunicorn's threaded worker, which no slow client can hold up.

A thread is given to a request when all of it has arrived. Until then the worker's loop keeps what it has, for a limited
time and up to a limited size, so that no number of half-sent requests keeps others from being answered. A request whose
head arrives before its body is answered by its head first: a client that is not let in sends no body. Nor does a
thread wait for a client to read its answer: what it does not take at once is sent by the loop, for a limited time.
"""

import signal
import socket
import struct
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from io import BytesIO
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.wsgi import create
from gunicorn.workers.gthread import TConn, ThreadWorker
from werkzeug.wrappers import Response

from instance_ha.api.faults import fault
from instance_ha.serving.arrival import Arrival
from instance_ha.serving.function import HEAD_ONLY
from instance_ha.serving.outgoing import Outgoing

_ARRIVAL_TIME = 10.0  # seconds for a whole request, head and body
_ANSWER_TIME = 30.0  # seconds in which a client takes its answer
_LINGER_TIME = 2.0  # seconds in which a client may read its answer after we have ended the connection
_LINGER_BYTES = 1 << 20  # that are thrown away meanwhile
_MOST_CONNECTIONS = 256  # that wait in the loop; above it, the one that has waited longest is closed
_MOST_BYTES = 16 << 20  # of all requests that have not arrived yet, and of all answers that are not taken yet
_PIECE = 65536
_BLOCKING_LIMIT = struct.pack("ll", 10, 0)  # seconds for one read in a thread


@dataclass
class _Waiting:
    """A connection that waits in the loop: for its request, or for its client to take the answer."""

    conn: Any
    until: float  # by the monotonic clock
    arrival: Arrival | None = None  # None: its request is served
    admitted: bool = False  # its head was checked, or need not be
    thrown_away: int = 0

    @property
    def held(self) -> int:
        """Bytes that are kept of it."""
        return len(self.conn.sock.unsent) + (len(self.arrival.data) if self.arrival else 0)

    def over(self, now: float, alive: bool) -> bool:
        """Whether it is given up: in time, or since the instance ends; an answer is sent even then."""
        return self.until <= now or not (alive or self.conn.sock.unsent)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gives threads to whole requests only; ends when its work is done."""

    def init_process(self) -> None:
        """Begin."""
        self._waiting: dict[Outgoing, _Waiting] = {}  # in the order in which they began to wait
        super().init_process()

    def handle_exit(self, _signal: int, _frame: object) -> None:
        """Begin to end: on SIGTERM an instance first says that it is not ready, and takes no more."""
        self.app.entrance.closed = True
        self.method_queue.defer(lambda: None)  # the loop goes round at once

    def notify(self) -> None:
        """Take a turn of the loop."""
        super().notify()
        now = time.monotonic()
        for waiting in [one for one in self._waiting.values() if one.over(now, self.alive)]:
            self._drop(waiting)
        if self.alive and self.app.entrance.closed and self.app.entrance.idle:
            super().handle_exit(signal.SIGTERM, None)

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for a request: on a new connection, on a kept one, or behind a request that has been served."""
        if not isinstance(conn.sock, Outgoing):
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _BLOCKING_LIMIT)
            conn.sock = Outgoing(conn.sock)
        arrival = Arrival(self.app.body_limit)
        waiting = _Waiting(conn, time.monotonic() + _ARRIVAL_TIME, arrival, admitted=not self.app.heads_first)
        self._wait(waiting)
        if conn.parser is not None and (ahead := conn.parser.unreader.take_buffered()):
            self._feed(waiting, arrival, ahead)
        self._make_room()

    def finish_request(self, conn: TConn, future: "Future[Any]") -> None:
        """Keep a connection whose answer is sent, or end it without holding up the loop."""
        if conn.sock.unsent:
            self._wait(_Waiting(conn, time.monotonic() + _ANSWER_TIME), future)
            self._make_room()
        elif future.cancelled() or future.exception() is not None or not future.result():
            self._linger(conn)
        else:
            super().finish_request(conn, future)

    def handle_request(self, request: Any, conn: TConn) -> Any:
        """Serve a request, whose client has got its "100 Continue" before if it waited for one."""
        request._expected_100_continue = False
        return super().handle_request(request, conn)

    def _wait(self, waiting: _Waiting, served: "Future[Any] | None" = None) -> None:
        """Wait for what a client sends or, when it is ``served``, until it takes its answer."""
        waiting.conn.sock.setblocking(False)
        self._waiting[waiting.conn.sock] = waiting
        if served is None:
            self.poller.register(waiting.conn.sock, EVENT_READ, partial(self._receive, waiting))
        else:
            self.poller.register(waiting.conn.sock, EVENT_WRITE, partial(self._send_on, waiting, served))

    def _wait_no_more(self, waiting: _Waiting) -> None:
        del self._waiting[waiting.conn.sock]
        self.poller.unregister(waiting.conn.sock)

    def _drop(self, waiting: _Waiting) -> None:
        self._wait_no_more(waiting)
        self.nr_conns -= 1
        waiting.conn.close()

    def _send_on(self, waiting: _Waiting, served: "Future[Any]", sock: Outgoing) -> None:
        try:
            sock.flush()
        except OSError:
            self._drop(waiting)
            return
        if not sock.unsent:
            self._wait_no_more(waiting)
            self.finish_request(waiting.conn, served)

    def _receive(self, waiting: _Waiting, sock: Outgoing) -> None:
        try:
            data = sock.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if waiting.arrival is None:
            waiting.thrown_away += len(data)
        if not data or waiting.thrown_away > _LINGER_BYTES:
            self._drop(waiting)
        elif waiting.arrival is not None:
            self._feed(waiting, waiting.arrival, data)
            self._make_room()

    def _feed(self, waiting: _Waiting, arrival: Arrival, data: bytes) -> None:
        refusal = arrival.feed(data)
        if refusal is not None:
            self._wait_no_more(waiting)
            self._refuse(waiting.conn, arrival, fault(refusal.code, refusal.reason))
        elif arrival.complete:
            self._wait_no_more(waiting)
            waiting.conn.init()  # makes the parser, and the socket blocking
            waiting.conn.data_ready = True
            waiting.conn.parser.unreader.unread(bytes(arrival.data))
            super().enqueue_req(waiting.conn)
        elif arrival.head is not None and not waiting.admitted:
            self._wait_no_more(waiting)  # what is sent meanwhile is left to the socket, which holds little
            checked = self.tpool.submit(self._check_head, waiting.conn, arrival.head)
            checked.add_done_callback(lambda done: self.method_queue.defer(self._admit, waiting, arrival, done))
        elif arrival.continue_expected:
            arrival.continue_expected = False
            self._send(waiting.conn, b"HTTP/1.1 100 Continue\r\n\r\n")

    def _check_head(self, conn: TConn, head: bytes) -> Response:
        """Ask the application about a head; it answers 100 when the body shall come. Runs in a thread."""
        request = None
        try:
            request = next(get_parser(self.cfg, [head], conn.client))
            request._expected_100_continue = False
            _, environ = create(request, conn.sock, conn.client, conn.server, self.cfg)
            environ |= {HEAD_ONLY: True, "wsgi.input": BytesIO()}
            return Response.from_app(self.wsgi, environ, buffered=True)
        except Exception as error:  # gunicorn's own, of a head that is none
            self.handle_error(request, conn.sock, conn.client, error)
            raise

    def _admit(self, waiting: _Waiting, arrival: Arrival, checked: "Future[Response]") -> None:
        if checked.exception() is not None:
            self._linger(waiting.conn)
        elif checked.result().status_code == HTTPStatus.CONTINUE:
            waiting.admitted = True
            waiting.until = time.monotonic() + _ARRIVAL_TIME
            self._wait(waiting)
            self._feed(waiting, arrival, b"")
            self._make_room()
        else:
            self._refuse(waiting.conn, arrival, checked.result())

    def _make_room(self) -> None:
        """Close those that have waited longest, while too many wait or hold too much."""
        sizes = {sock: one.held for sock, one in self._waiting.items()}
        while len(self._waiting) > _MOST_CONNECTIONS or sum(sizes.values()) > _MOST_BYTES:
            oldest = next(iter(self._waiting.values()))
            sizes.pop(oldest.conn.sock, None)
            self._drop(oldest)

    def _refuse(self, conn: TConn, arrival: Arrival, answer: Response) -> None:
        answer.headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {value}" for name, value in answer.headers.items()), "\r\n"]
        body = b"" if arrival.data.startswith(b"HEAD ") else answer.get_data()
        self._send(conn, "\r\n".join(lines).encode("latin-1") + body)
        self._linger(conn)

    def _send(self, conn: TConn, data: bytes) -> None:
        """Send what fits; a client that does not take that little gets nothing."""
        try:
            conn.sock.send(data)
        except OSError:
            return

    def _linger(self, conn: TConn) -> None:
        """End a connection; what still comes is thrown away for a moment, or the answer might get lost."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.nr_conns -= 1
            conn.close()
        else:
            self._wait(_Waiting(conn, time.monotonic() + _LINGER_TIME))
            self._make_room()
