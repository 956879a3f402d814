"""Tasks that are URLs, over real HTTP."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import pytest
from cloudevents.http import from_http
from flask import Flask, Response, request
from instance_ha.events import signature
from instance_ha.events.url_tasks import HttpUrlTasks
from instance_ha.models.custom import TaskFacts, UrlAnswer
from instance_ha.models.errors import Forbidden, RecoveryFailed, TaskUnavailable
from instance_ha.world import SystemClock

from sim.server import LoopbackServer

KEY = b"key"
FACTS = TaskFacts(notification_uuid="n", type="VM", attempt=1, host="compute1", segment_uuid="s", instance_uuid="i")
Answerer = Callable[[], Response]


@pytest.fixture
def owner() -> Iterator[Any]:
    """The owner of a URL: `url`, what he `got`, and the `answer` he gives."""

    class Owner:
        got: list[tuple[dict[str, str], bytes]] = []  # noqa: RUF012
        answer = Response('{"state": "done", "message": "alerted"}', 200)

    app = Flask("owner")

    @app.post("/task")
    def task() -> Response:
        Owner.got.append((dict(request.headers), request.get_data()))
        return Owner.answer

    server = LoopbackServer(app, threads=2)
    server.start()
    Owner.url = f"{server.url}/task"  # type: ignore[attr-defined]
    yield Owner
    server.stop()


def _ask(url: str) -> UrlAnswer:
    return HttpUrlTasks(KEY, 5, SystemClock()).ask(url, "n/1/0", FACTS)


def test_the_owner_gets_the_facts_in_an_event_whose_signature_he_can_check(owner: Any) -> None:
    assert _ask(owner.url) == UrlAnswer("done", "alerted")

    ((headers, body),) = owner.got
    event = from_http(headers, body)
    assert (event["type"], event["id"], event["subject"]) == ("org.openstack.instanceha.task", "n/1/0", "n")
    assert event.get_data() == asdict(FACTS)
    assert event["datahash"] == sha256(body).hexdigest()
    signature.check(event.get_attributes(), [KEY], SystemClock().now(), 60)
    with pytest.raises(Forbidden):
        signature.check(dict(event.get_attributes()) | {"datahash": "0"}, [KEY], SystemClock().now(), 60)
    without = {name: value for name, value in event.get_attributes().items() if name != "datahash"}
    with pytest.raises(Forbidden):
        signature.check(without, [KEY], SystemClock().now(), 60)


@pytest.mark.parametrize("code", [500, 503, 408, 429])
def test_a_trouble_of_the_owner_means_to_ask_again(owner: Any, code: int) -> None:
    owner.answer = Response("", code)
    with pytest.raises(TaskUnavailable):
        _ask(owner.url)


@pytest.mark.parametrize(
    "answer",
    [
        Response("", 404),
        Response("", 302, {"Location": "/task"}),
        Response("", 200),
        Response("[]", 200),
        Response('"done"', 200),
        Response(json.dumps({"state": "perhaps"}), 200),
        Response(json.dumps({"state": ["done"]}), 200),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.get_data(as_text=True)}",
)
def test_an_answer_that_is_none_fails_the_task(owner: Any, answer: Response) -> None:
    owner.answer = answer
    with pytest.raises(RecoveryFailed):
        _ask(owner.url)


def test_nobody_there_means_to_ask_again() -> None:
    with pytest.raises(TaskUnavailable):
        _ask("http://127.0.0.1:1/task")
