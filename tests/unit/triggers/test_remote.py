"""Tasks that are URLs, asked over HTTP on this machine."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from instance_ha.models.errors import CloudUnavailable, Forbidden
from instance_ha.models.triggers import TASK
from instance_ha.triggers import signature
from instance_ha.triggers.remote import HttpRemote
from instance_ha_simulator.cloud.server import LoopbackServer

KEY = b"key"


class Pager:
    """A function of somebody else."""

    def __init__(self) -> None:
        self.answer: tuple[str, bytes] = ("200 OK", b'{"state": "done"}')
        self.requests: list[tuple[dict[str, str], Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Write the request down, and answer."""
        headers = {key[8:].lower(): value for key, value in environ.items() if key.startswith("HTTP_CE_")}
        self.requests.append((headers, json.loads(environ["wsgi.input"].read())))
        start_response(self.answer[0], [("Content-Length", str(len(self.answer[1])))])
        return [self.answer[1]]


@pytest.fixture
def pager() -> Pager:
    """The function."""
    return Pager()


@pytest.fixture
def url(pager: Pager) -> Iterator[str]:
    """Where it is."""
    server = LoopbackServer(pager)
    server.start()
    yield server.url
    server.stop()


def ask(url: str) -> Any:
    """Ask it once."""
    data = {"notification_uuid": "42", "host_name": "compute1"}
    return HttpRemote(KEY, 5).ask(url, "42-1-0", data, datetime.now(UTC))


def test_a_task_is_sent_a_signed_event_with_the_facts(url: str, pager: Pager) -> None:
    assert ask(url).state == "done"
    ((attributes, facts),) = pager.requests
    signature.check(attributes, facts, [KEY], lambda: datetime.now(UTC), 60)
    assert (attributes["type"], attributes["id"], attributes["subject"]) == (TASK, "42-1-0", "42")
    assert facts == {"notification_uuid": "42", "host_name": "compute1"}
    with pytest.raises(Forbidden):
        signature.check(attributes, facts | {"host_name": "compute2"}, [KEY], lambda: datetime.now(UTC), 60)


@pytest.mark.parametrize("state", ["done", "failed", "running"])
def test_the_answer_says_how_the_task_stands(url: str, pager: Pager, state: str) -> None:
    pager.answer = ("200 OK", json.dumps({"state": state, "message": "so it is"}).encode())
    assert (ask(url).state, ask(url).message) == (state, "so it is")


def test_a_refusal_is_a_failure(url: str, pager: Pager) -> None:
    pager.answer = ("403 Forbidden", b"no")
    assert ask(url).state == "failed"


@pytest.mark.parametrize(
    "answer",
    [("500 Oops", b""), ("200 OK", b"fine"), ("200 OK", b'{"state": 5}'), ("302 Found", b"{}"), ("200 OK", b"[]")],
)
def test_an_answer_without_a_state_is_asked_for_again(url: str, pager: Pager, answer: tuple[str, bytes]) -> None:
    pager.answer = answer
    with pytest.raises(CloudUnavailable):
        ask(url)


def test_nobody_there_is_asked_for_again() -> None:
    with pytest.raises(CloudUnavailable):
        ask("http://127.0.0.1:1/")
