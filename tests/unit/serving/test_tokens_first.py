"""A request shows its token before its body: real functions, real sockets, and a Keystone that may be slow."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.clouds import login_variables
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.cloud.server import LoopbackServer

from tests.unit.serving.served import Serve, Served, serving

FUNCTIONS = Path(__file__).parents[3] / "functions"
KEY = "a-key-of-32-characters-0123456789"
BODY = b'{"segment": {}}'


@dataclass
class Keystone:
    """A cloud with a Keystone, which answers while its gate is open."""

    cloud: Cloud
    environ: dict[str, str]
    gate: threading.Event

    def token(self) -> str:
        """Issue a token of the administrator."""
        admin = self.cloud.identity.users["admin"]
        return self.cloud.identity.issue(admin, admin.project.id).id


@pytest.fixture(scope="module")
def keystone() -> Iterator[Keystone]:
    """Run a Keystone."""
    cloud, gate = Cloud(RealClock(), CloudOptions()), threading.Event()
    gate.set()
    app = create_app(cloud)

    def guarded(environ: dict[str, object], start_response: object) -> object:
        gate.wait(20)
        return app(environ, start_response)  # type: ignore[arg-type]

    server = LoopbackServer(guarded)  # type: ignore[arg-type]
    server.start()
    yield Keystone(cloud, login_variables(cloud, server.url), gate)
    gate.set()
    server.stop()


@pytest.fixture(scope="module")
def function(keystone: Keystone) -> Iterator[Served]:
    """Serve the API; its Postgres is never reached."""
    with serving(FUNCTIONS / "api-segments") as serve:
        yield serve(DATABASE_URL="postgresql://ha@127.0.0.1:1/ha", **keystone.environ)


def head(path: str = "/v1/segments", *lines: str, method: str = "POST", length: int = len(BODY)) -> bytes:
    """Write the head of a request."""
    about = ["Host: one", "Content-Type: application/json", f"Content-Length: {length}", *lines]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *about, "\r\n"]).encode()


def until_end_of_json(connection: socket.socket) -> bytes:
    """Read one answer of a connection that is kept."""
    answered = b""
    while not answered.endswith(b"}}"):
        answered += connection.recv(65536)
    return answered


def answer(connection: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("path", ["/v1/segments", "/v1/no-such-thing"])
def test_without_a_token_a_request_is_refused_before_its_body(function: Served, path: str) -> None:
    answered, _, body = answer(function.send(head(path))).partition(b"\r\n\r\n")

    assert answered.startswith(b"HTTP/1.1 401 ")
    assert b"WWW-Authenticate: Keystone" in answered
    assert b"x-openstack-request-id: req-" in answered
    assert body == b'{"unauthorized": {"code": 401, "message": "the request has no X-Auth-Token"}}'


def test_a_token_that_is_not_valid_is_refused_before_the_body(function: Served) -> None:
    assert answer(function.send(head("/v1/segments", "X-Auth-Token: made-up"))).startswith(b"HTTP/1.1 401 ")


def test_a_chunked_body_is_not_awaited_either(function: Served) -> None:
    sent = b"POST /v1/segments HTTP/1.1\r\nHost: one\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12"

    assert answer(function.send(sent)).startswith(b"HTTP/1.1 401 ")


def test_a_client_that_asks_before_it_sends_its_body_is_told_401_and_not_100(
    function: Served, keystone: Keystone
) -> None:
    assert answer(function.send(head("/v1/segments", "Expect: 100-continue"))).startswith(b"HTTP/1.1 401 ")

    let_in = function.send(head("/v1/segments", "Expect: 100-continue", f"X-Auth-Token: {keystone.token()}"))
    assert let_in.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    let_in.sendall(BODY)
    assert let_in.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_with_a_valid_token_the_body_may_come_later_and_the_connection_is_kept(
    function: Served, keystone: Keystone
) -> None:
    connection = function.send(head("/v1/segments", f"X-Auth-Token: {keystone.token()}"))
    for _ in range(2):
        for byte in BODY:
            connection.sendall(bytes([byte]))
        assert until_end_of_json(connection).startswith(b"HTTP/1.1 400 ")
        connection.sendall(head("/v1/segments", f"X-Auth-Token: {keystone.token()}"))


def test_a_caller_who_may_not_do_it_hears_so_before_the_body(function: Served, keystone: Keystone) -> None:
    demo = keystone.cloud.identity.users["demo"]
    token = keystone.cloud.identity.issue(demo, demo.project.id).id

    assert answer(function.send(head("/v1/segments", f"X-Auth-Token: {token}"))).startswith(b"HTTP/1.1 403 ")


def test_behind_a_request_that_was_answered_the_next_head_is_checked_too(function: Served) -> None:
    answered = answer(function.send(b"GET / HTTP/1.1\r\nHost: one\r\n\r\n" + head()))

    assert re.findall(rb"HTTP/1\.1 (\d+)", answered) == [b"200", b"401"]


def test_an_answer_to_head_has_no_body(function: Served) -> None:
    answered = answer(function.send(head(method="HEAD")))

    assert answered.startswith(b"HTTP/1.1 401 ")
    assert answered.endswith(b"\r\n\r\n")


def test_a_document_for_everybody_needs_no_token_whatever_body_is_promised(function: Served) -> None:
    connection = function.send(head("/v1", method="GET", length=1))
    connection.sendall(b"1")

    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_head_that_is_none_is_a_bad_request(function: Served) -> None:
    sent = b"POST /v1/segments HTTP/1.1\r\nHost: one\r\nno colon\r\nContent-Length: 9\r\n\r\n"

    assert answer(function.send(sent)).startswith(b"HTTP/1.1 400 ")


def test_bodies_that_never_come_hold_nobody_up_while_keystone_is_silent(function: Served, keystone: Keystone) -> None:
    keystone.gate.clear()
    with ExitStack() as held:
        for _ in range(40):
            held.enter_context(function.send(head("/v1/segments", "X-Auth-Token: made-up")))

        assert requests.get(f"http://127.0.0.1:{function.port}/_/health", timeout=5).status_code == 200
        assert answer(function.send(head())).startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 503 "))
        keystone.gate.set()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Mount keys."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "trigger-key").write_text(KEY)
    (folder / "cron-token").write_text(KEY[::-1])
    return folder


@pytest.fixture
def variables(secrets: Path, keystone: Keystone) -> dict[str, str]:
    """Return what functions with keys are answered."""
    return keystone.environ | {
        "DATABASE_URL": "postgresql://ha@127.0.0.1:1/ha",
        "INSTANCE_HA_SECRETS_DIR": str(secrets),
        "INSTANCE_HA_TRIGGER_SINK": "http://127.0.0.1:1/{function}",
    }


def test_a_trigger_without_a_signature_is_refused_before_its_body(served: Serve, variables: dict[str, str]) -> None:
    function = served(FUNCTIONS / "recover-host", **variables)

    assert answer(function.send(head("/"))).startswith(b"HTTP/1.1 403 ")
    assert answer(function.send(head("/", method="PUT"))).startswith(b"HTTP/1.1 405 ")
    let_in = function.send(head("/", "Ce-Signature: some", "Expect: 100-continue"))
    assert let_in.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_a_tick_and_a_dead_letter_are_refused_before_their_bodies(served: Serve, variables: dict[str, str]) -> None:
    function = served(FUNCTIONS / "sweep", **variables)

    assert answer(function.send(head("/"))).startswith(b"HTTP/1.1 401 ")
    assert answer(function.send(head("/dead-letters"))).startswith(b"HTTP/1.1 403 ")
    let_in = function.send(head("/", f"Authorization: Bearer {KEY[::-1]}", "Expect: 100-continue"))
    assert let_in.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
