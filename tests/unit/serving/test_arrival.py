"""When all of a request has arrived."""

import pytest
from instance_ha.serving.arrival import HEAD_LIMIT, Arrival, Refusal

LIMIT = 100
HEAD = b"POST / HTTP/1.1\r\nHost: one\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def fed(data: bytes, piece: int) -> Arrival | Refusal:
    """Feed a request in pieces."""
    arrival = Arrival(LIMIT)
    for begin in range(0, len(data), piece):
        assert not arrival.complete, data[begin:]
        if (refusal := arrival.feed(data[begin : begin + piece])) is not None:
            return refusal
    return arrival


@pytest.mark.parametrize("piece", [1, 3, 1000])
@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"\r\n",
        b"\r\n" + HEAD + b"\r\n",
        HEAD + b"Content-Length: 0\r\n\r\n",
        HEAD + b"content-length :  5 \r\n\r\n12345",
        HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * 100,
        CHUNKED + b"0\r\n\r\n",
        CHUNKED + b"5\r\n12345\r\nA;name=value\r\n1234567890\r\n0\r\nTrailer: one\r\n\r\n",
    ],
)
def test_a_request_is_complete_with_its_last_byte_and_not_before(data: bytes, piece: int) -> None:
    arrival = fed(data, piece)
    assert isinstance(arrival, Arrival)
    assert arrival.complete
    assert bytes(arrival.data) == data
    before = fed(data[:-1], piece)
    assert isinstance(before, Arrival)
    assert not before.complete


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_the_head_is_known_before_the_body(piece: int) -> None:
    head = HEAD + b"Content-Length: 5\r\n\r\n"
    whole, half, none = fed(head + b"123", piece), fed(head, piece), fed(head[:-1], piece)
    assert isinstance(whole, Arrival)
    assert isinstance(half, Arrival)
    assert isinstance(none, Arrival)
    assert (whole.head, half.head, none.head) == (head, head, None)


@pytest.mark.parametrize("piece", [1, 1000])
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (HEAD + b"Content-Length: 101\r\n\r\n", 413),
        (HEAD + b"Content-Length: 400000000\r\n\r\n", 413),
        (CHUNKED + b"65\r\n", 413),
        (CHUNKED + b"40\r\n" + b"x" * 64 + b"\r\n40\r\n", 413),
        (CHUNKED + b"five\r\n12345\r\n", 400),
        (CHUNKED + b"-5\r\n", 400),
        (CHUNKED + b"5\r\n123456\r\n", 400),
        (CHUNKED + b"5;" + b"x" * 1000, 400),
        (HEAD + b"Content-Length: five\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ],
)
def test_what_is_too_large_or_malformed_is_refused_before_it_has_arrived(data: bytes, code: int, piece: int) -> None:
    refusal = fed(data, piece)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_headers_that_never_end_are_refused(end: bytes) -> None:
    refusal = fed(HEAD + b"Name: " + b"x" * HEAD_LIMIT + end, 4096)
    assert isinstance(refusal, Refusal)
    assert refusal.code == 431


def test_what_follows_a_request_is_kept_for_the_next_one() -> None:
    arrival = Arrival(LIMIT)
    assert arrival.feed(HEAD + b"Content-Length: 2\r\n\r\n12GET / HTT") is None
    assert arrival.complete
    assert arrival.data.endswith(b"12GET / HTT")


def test_a_client_that_waits_for_a_go_ahead_is_recognised() -> None:
    arrival = Arrival(LIMIT)
    arrival.feed(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert arrival.continue_expected
    assert not arrival.complete
