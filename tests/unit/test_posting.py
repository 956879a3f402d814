"""Posting to receivers that are slow, endless, or closed: real sockets on this machine."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from instance_ha.posting import AnsweredLate, NotAnswered, Poster

from tests.receivers import OK, Start, drip, read_request, receiver


@pytest.fixture
def start() -> Iterator[Start]:
    """Start receivers."""
    with ExitStack() as stack:
        yield lambda serve: stack.enter_context(receiver(serve))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\nX-Header: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
    ],
    ids=["status", "continue", "headers", "body", "chunk"],
)
def test_a_receiver_that_answers_a_byte_at_a_time_is_left_at_the_total_time_limit(start: Start, data: bytes) -> None:
    with pytest.raises(NotAnswered):
        Poster(1).post(start(drip(data)), b"{}", {}, 0.5)


def test_a_receiver_that_never_answers_is_left_at_the_total_time_limit(start: Start) -> None:
    with pytest.raises(NotAnswered):
        Poster(1).post(start(lambda _: None), b"{}", {}, 0.3)


@pytest.mark.parametrize("head", [b"Content-Length: 629145600\r\n", b""], ids=["length", "until the end"])
def test_of_an_endless_answer_only_its_beginning_is_read(start: Start, head: bytes) -> None:
    sent: list[int] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        while len(sent) < 600:
            connection.sendall(b"x" * 2**20)
            sent.append(1)

    response = Poster(1, most=1000).post(start(serve), b"{}", {}, 5)
    assert (response.status, len(response.body), response.complete) == (200, 1000, False)
    assert len(sent) < 600  # and the rest is not fetched


def test_a_redirect_is_an_answer_and_is_not_followed(start: Start) -> None:
    asked: list[int] = []
    other = start(lambda _: asked.append(1))
    moved = f"HTTP/1.1 307 Moved\r\nLocation: {other}\r\nContent-Length: 0\r\n\r\n".encode()
    assert Poster(1).post(start(lambda connection: connection.sendall(moved)), b"{}", {}, 5).status == 307
    assert asked == []


def test_a_connection_is_used_again_and_one_that_the_receiver_closed_is_not(start: Start) -> None:
    seen: list[int] = []

    def serve(connection: socket.socket) -> None:
        seen.append(connection.getpeername()[1])
        ends = len(seen) == 2
        # One segment has answer and end: else the next request may be on its way when the connection ends.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, ends)
        connection.sendall(OK)
        if ends:
            connection.close()

    url, poster = start(serve), Poster(1)
    assert [poster.post(url, b"{}", {}, 5).status for _ in range(4)] == [204] * 4
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_a_late_answer_can_be_waited_for_and_its_connection_stays_open(start: Start) -> None:
    answer, gone = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        answer.wait(10)
        connection.sendall(OK)
        with suppress(ConnectionResetError):
            connection.recv(1)
        gone.set()

    with pytest.raises(AnsweredLate) as late:
        Poster(1).post(start(serve), b"{}", {}, 5, late_after=0.2)
    answer.set()
    assert not gone.wait(0.2)
    late.value.connection.close()
    assert gone.wait(5)


def test_the_password_of_an_address_is_sent_as_basic_authorization_and_not_in_the_target(start: Start) -> None:
    requests: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        connection, _ = listener.accept()
        requests.append(read_request(connection))
        connection.sendall(OK)
        connection.close()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    Poster(1).post(f"http://me:p%40ss@127.0.0.1:{listener.getsockname()[1]}/a?b=c", b"{}", {}, 5)
    thread.join(5)
    listener.close()
    head = requests[0].decode()
    assert head.startswith("POST /a?b=c HTTP/1.1\r\n")
    assert "Authorization: Basic bWU6cEBzcw==" in head
    assert "User-Agent: masakari-functions" in head


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://127.0.0.1:99999/", "http://[::1/", "http://127.0.0.1:x/"]
)
def test_an_address_without_a_receiver_is_no_answer_whatever_is_wrong_with_it(url: str) -> None:
    with pytest.raises(NotAnswered):
        Poster(1).post(url, b"{}", {}, 1)


@pytest.mark.parametrize("answer", [b"garbage\r\n\r\n", b"HTTP/1.1 2", b""])
def test_a_broken_answer_is_no_answer(start: Start, answer: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises(NotAnswered):
        Poster(1).post(start(serve), b"{}", {}, 2)


def test_a_body_that_ends_too_early_is_not_complete(start: Start) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
        connection.shutdown(socket.SHUT_RDWR)

    response = Poster(1).post(start(serve), b"{}", {}, 2)
    assert (response.body, response.complete) == (b"ab", False)
