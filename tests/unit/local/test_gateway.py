import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from local.events import Queue
from local.gateway import Gateway
from local.hosting import Response
from stack import Function
from tests.unit.local.conftest import FakeBackend

FUNCTIONS = (
    Function("hosts", Path(), re.compile("^/v1/hosts")),
    Function("rest", Path(), re.compile("^/v1|^/_")),
    Function("worker", Path()),
)


@pytest.fixture
def queue(backend: FakeBackend) -> Iterator[Queue]:
    queue = Queue(backend)
    yield queue
    queue.stop()


@pytest.fixture
def client(backend: FakeBackend, queue: Queue) -> Client:
    return Client(Gateway(FUNCTIONS, backend, queue))


def test_a_public_path_reaches_its_function_whole(client: Client, backend: FakeBackend) -> None:
    client.put("/v1/hosts/a%20b%2541?x=%20&y=1", data=b"body")

    ((name, call),) = backend.calls
    assert (name, call.method, call.path, call.body) == ("hosts", "PUT", "/v1/hosts/a%20b%2541?x=%20&y=1", b"body")


def test_a_path_that_no_route_matches_is_answered_with_a_fault(client: Client, backend: FakeBackend) -> None:
    answer = client.get("/elsewhere")

    assert answer.status_code == 404
    assert answer.content_type == "application/json"
    assert json.loads(answer.data)["itemNotFound"]["code"] == 404
    assert backend.calls == []


def test_a_function_is_called_by_name_with_the_rest_of_the_path(client: Client, backend: FakeBackend) -> None:
    for path in ("/function/worker", "/function/worker/", "/function/worker/a/b?c=d", "/function/worker/_/health"):
        client.get(path)

    assert [call.path for _, call in backend.calls] == ["/", "/", "/a/b?c=d", "/_/health"]


@pytest.mark.parametrize("path", ["/function/none", "/function/", "/async-function/none"])
def test_an_unknown_function_is_not_found(client: Client, path: str) -> None:
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("path", ["/_/health", "/_/ready", "//_/health", "/%5F/health"])
def test_the_health_of_functions_is_not_public(client: Client, backend: FakeBackend, path: str) -> None:
    assert client.get(path).status_code == 404
    assert backend.calls == []


def test_the_gateway_tells_its_own_health(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


def test_an_event_is_taken_at_once_and_delivered_with_its_call_id(
    client: Client, backend: FakeBackend, queue: Queue
) -> None:
    answer = client.post("/async-function/worker", data=b"event", headers={"ce-id": "1"})
    while not backend.calls:
        pass
    queue.stop()

    ((name, call),) = backend.calls
    assert answer.status_code == 202
    assert (name, call.method, call.path, call.body) == ("worker", "POST", "/", b"event")
    assert call.headers["X-Call-Id"] == answer.headers["X-Call-Id"]
    assert {key.lower(): value for key, value in call.headers.items()}["ce-id"] == "1"


def test_an_event_can_only_be_posted(client: Client, backend: FakeBackend) -> None:
    assert client.get("/async-function/worker").status_code == 405
    assert backend.calls == []


def test_a_body_of_more_than_a_mebibyte_is_refused(client: Client, backend: FakeBackend) -> None:
    assert client.post("/function/worker", data=b"x" * (1 << 20)).status_code == 200
    assert client.post("/function/worker", data=b"x" * ((1 << 20) + 1)).status_code == 413
    assert len(backend.calls) == 1


def test_headers_of_one_hop_stay_there_and_the_caller_is_told(client: Client, backend: FakeBackend) -> None:
    backend.answer = lambda *_: Response(
        200, (("Connection", "x-mine"), ("X-Mine", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b")), b"ok"
    )
    answer = client.get(
        "/v1/hosts",
        headers={"Connection": "keep-alive, X-Secret", "X-Secret": "1", "TE": "trailers", "X-Auth-Token": "t"},
        environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
    )

    headers = {key.lower(): value for key, value in backend.calls[0][1].headers.items()}
    assert headers["x-auth-token"] == "t"
    assert headers.keys().isdisjoint({"connection", "te", "x-secret", "content-length"})
    assert headers["x-forwarded-host"] == headers["host"] == "localhost"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-for"]) == ("http", "127.0.0.1")
    assert answer.headers.getlist("Set-Cookie") == ["a", "b"]
    assert {"Connection", "X-Mine"}.isdisjoint(dict(answer.headers))
    assert answer.headers["Content-Length"] == "2"


def test_the_answer_to_head_keeps_the_length_of_the_body(client: Client, backend: FakeBackend) -> None:
    backend.answer = lambda *_: Response(200, (("Content-Length", "92"),), b"")

    assert client.head("/v1/hosts").headers["Content-Length"] == "92"
