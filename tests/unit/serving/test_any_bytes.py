"""Whatever bytes come, in whatever pieces: no answer is a 5xx, and the process lives."""

import random
import socket
from pathlib import Path

import psutil
import requests

from tests.unit.serving.served import serving

FUNCTIONS = Path(__file__).parents[3] / "functions"
VARIABLES = {"DATABASE_URL": "postgresql://ha@127.0.0.1:1/ha", "OS_AUTH_URL": "http://127.0.0.1:1/v3"}
LINES = (
    b"GET / HTTP/1.1",
    b"POST /v1/segments HTTP/1.1",
    b"HEAD /v1 HTTP/1.1",
    b"PUT /v1/x HTTP/1.0",
    b"\xff\xfe /v1 HTTP/1.1",
    b"POST * HTTP/1.1",
    b"OPTIONS http://a/b HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"CONNECT a:1 HTTP/1.1",
    b"POST /v1/%00 HTTP/9.9",
    b"",
)
HEADERS = (
    b"Host: one",
    b"Host: \xff",
    b"Content-Length: 5",
    b"Content-Length: 114688",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Expect: 100-continue",
    b"Expect: other",
    b"X-Auth-Token: \xff\xff",
    b"no colon",
    b" folded",
    b"Connection: close",
    b"Connection: upgrade",
    b"Upgrade: h2c",
    b"OpenStack-API-Version: instance-ha \xd9\xa1.1",
    b"Content-Type: \xff",
    b"\x00: x",
    b"X: \r\x00",
)
BODIES = (
    b"",
    b"12345",
    b"5\r\n12345\r\n0\r\n\r\n",
    b"zz\r\n",
    b"{}",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x00" * 50,
)


def test_no_bytes_make_an_instance_answer_5xx_or_die() -> None:
    choose, codes = random.Random(20261126), list[bytes]()
    with serving(FUNCTIONS / "api-segments") as serve:
        function = serve(**VARIABLES)
        workers = psutil.Process(function.process.pid).children()
        for _ in range(250):
            headers = [choose.choice(HEADERS) for _ in range(choose.randrange(6))]
            data = b"\r\n".join([choose.choice(LINES), *headers, b"", choose.choice(BODIES)])
            cut = choose.randrange(len(data) + 1)
            with function.send(data[:cut]) as connection:
                connection.sendall(data[cut:])
                connection.shutdown(socket.SHUT_WR)
                codes.append(_answer(connection)[9:12])
        assert requests.get(f"http://127.0.0.1:{function.port}/v1", timeout=20).status_code == 200
        assert psutil.Process(function.process.pid).children() == workers
    assert {b"200", b"400", b"401"} <= set(codes)
    assert [code for code in codes if code.startswith(b"5")] == []


def _answer(connection: socket.socket) -> bytes:
    answered = b""
    try:
        while more := connection.recv(65536):
            answered += more
    except ConnectionResetError:
        pass
    return answered
