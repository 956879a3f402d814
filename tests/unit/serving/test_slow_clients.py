"""Clients that send slowly, too much, or never read: all others are served meanwhile."""

import re
import socket
import time
from contextlib import ExitStack

import pytest
import requests

from tests.unit.serving.served import Serve, Served

LIMIT = 114688
HALF = [
    b"",
    b"GET / HT",
    b"POST /v1/segments HTTP/1.1\r\nHost: one\r\nX-Auth-Token: gAA",
    b"POST /v1/segments HTTP/1.1\r\nHost: one\r\nContent-Length: 1000\r\n\r\n{",
    b"POST / HTTP/1.1\r\nHost: one\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12",
    b"GET / HTTP/1.1\r\nHost: one\r\n\r\nGET / HTTP/1.1\r\nHo",
]


def assert_alive(function: Served, *paths: str) -> None:
    """It answers, and at once."""
    for path in paths or ("/_/ready", "/_/health", "/"):
        assert requests.get(f"http://127.0.0.1:{function.port}{path}", timeout=2).status_code == 200


def answer(connection: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("half", HALF)
def test_forty_half_sent_requests_keep_nobody_from_being_answered(kept: Serve, half: bytes) -> None:
    function = kept(THREADS="1")
    with ExitStack() as held:
        for _ in range(40):
            held.enter_context(function.send(half))

        assert_alive(function)


def test_a_thousand_connections_that_say_nothing_keep_nobody_from_being_answered(kept: Serve) -> None:
    function = kept(THREADS="1")
    with ExitStack() as held:
        for _ in range(800):
            held.enter_context(function.send(b"GET / HTTP/1.1\r\n"))

        assert_alive(function)


def test_a_request_that_does_not_arrive_in_time_is_given_up(kept: Serve) -> None:
    function = kept()

    assert answer(function.send(b"POST / HTTP/1.1\r\nHost: one\r\nContent-Length: 9\r\n\r\n")) == b""


def test_clients_that_do_not_end_their_connection_hold_nobody_up(kept: Serve) -> None:
    function = kept(THREADS="1")
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(function.send(b"GET / HTTP/1.1\r\nHost: one\r\nConnection: close\r\n\r\n"))

        assert_alive(function)


def test_clients_that_read_their_answers_a_byte_at_a_time_keep_nobody_from_being_answered(kept: Serve) -> None:
    function = kept(THREADS="1")
    with ExitStack() as held:
        slow = [held.enter_context(function.send(20 * b"GET /large HTTP/1.1\r\nHost: one\r\n\r\n")) for _ in range(20)]
        for _ in range(10):
            for connection in slow:
                connection.recv(1)
            assert_alive(function, "/_/ready", "/_/health")
        while function.get("/").status_code == 503:
            pass  # what they have sent ahead is being served, as far as they take the answers


def test_a_large_answer_arrives_whole_however_slowly_it_is_read(kept: Serve) -> None:
    function = kept()
    connection = function.send(b"GET /large HTTP/1.1\r\nHost: one\r\n\r\n")
    connection.sendall(b"GET /large HTTP/1.1\r\nHost: one\r\nConnection: close\r\n\r\n")
    time.sleep(0.5)  # by now it cannot send any more

    answered = answer(connection)

    assert answered.count(b"HTTP/1.1 200 OK") == 2
    assert answered.count(b"x" * 1_000_000) == 2


def test_answers_that_nobody_reads_are_not_all_kept(kept: Serve) -> None:
    function = kept()
    before = function.memory()
    with ExitStack() as held:
        for _ in range(200):
            held.enter_context(function.send(b"GET /large HTTP/1.1\r\nHost: one\r\n\r\n"))
        assert_alive(function)

        assert function.memory() - before < 60 << 20


def test_an_answer_is_sent_to_its_end_though_the_instance_is_told_to_end(served: Serve) -> None:
    function = served()
    connection = function.send(b"GET /large HTTP/1.1\r\nHost: one\r\n\r\n")
    connection.recv(1)
    function.process.terminate()
    time.sleep(1)

    answered = answer(connection)

    assert answered.endswith(b"x" * 900_000)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 400000000\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n17d78400\r\n",
        b"Expect: 100-continue\r\nContent-Length: 400000000\r\n\r\n",
    ],
    ids=["length", "chunked", "expect"],
)
def test_a_body_of_400_mb_is_refused_without_being_read(kept: Serve, head: bytes) -> None:
    function = kept()
    before = function.memory()

    connection = function.send(b"POST /v1/segments HTTP/1.1\r\nHost: one\r\n" + head)
    sent = 0
    try:
        while sent < 400_000_000:
            sent += connection.send(b"x" * 65536)
    except OSError:
        pass  # it has ended the connection

    assert sent < 400_000_000
    assert function.memory() - before < 20 << 20
    assert_alive(function)


def test_a_client_that_waits_before_it_sends_a_large_body_is_told_that_it_is_too_large(kept: Serve) -> None:
    function = kept()
    answered = answer(
        function.send(b"PUT / HTTP/1.1\r\nHost: one\r\nExpect: 100-continue\r\nContent-Length: 114689\r\n\r\n")
    )

    head, body = answered.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert body == b'{"overLimit": {"code": 413, "message": "the request body is larger than 114688 bytes"}}'


def test_a_client_that_waits_for_a_go_ahead_gets_it(kept: Serve) -> None:
    function = kept()
    connection = function.send(b"PUT / HTTP/1.1\r\nHost: one\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")

    assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    connection.sendall(b"body")
    answered = b""
    while b"body" not in answered:
        answered += connection.recv(65536)
    assert b"HTTP/1.1 200 OK" in answered


@pytest.mark.parametrize("how", ["length", "chunked"])
def test_the_largest_body_that_is_allowed_arrives_whole(kept: Serve, how: str) -> None:
    function, body = kept(), b"x" * LIMIT

    data = body if how == "length" else iter([body[:50_000], body[50_000:]])
    answered = requests.put(f"http://127.0.0.1:{function.port}/", data=data, timeout=20)

    assert (answered.status_code, len(answered.content)) == (200, LIMIT)


def test_requests_that_are_sent_ahead_are_answered_in_their_order(kept: Serve) -> None:
    function = kept()
    one = b"PUT / HTTP/1.1\r\nHost: one\r\nContent-Length: 3\r\n\r\n%s"
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    answered = answer(function.send(one % b"111" + one % b"222" + last % b"333"))

    assert re.findall(rb"\r\n\r\n(\d+)", answered) == [b"111", b"222", b"333"]


@pytest.mark.parametrize("broken", [b"five\r\n12345\r\n", b"5\r\n123456789", b"-1\r\n"])
def test_a_broken_chunk_is_the_clients_mistake(kept: Serve, broken: bytes) -> None:
    function = kept()

    answered = answer(function.send(b"PUT / HTTP/1.1\r\nHost: one\r\nTransfer-Encoding: chunked\r\n\r\n" + broken))

    assert answered.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "PATH_INFO", "Path-Info"])
def test_a_header_does_not_say_where_a_request_goes(kept: Serve, name: str) -> None:
    function = kept()

    assert function.get("/where/v1", headers={name: "/where"}).text == " /where/v1"
