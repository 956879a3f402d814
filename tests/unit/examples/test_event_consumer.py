"""The example of a consumer, served as functions-framework does it, and called as a sink is."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.events import Event
from instance_ha.sinks.cloud_events import binary
from instance_ha.sinks.envelope import write
from instance_ha.sinks.faults import fault
from instance_ha_simulator.cloud.server import LoopbackServer
from instance_ha_simulator.files import free_port
from werkzeug.wrappers import Request

from tests.unit.build import NOW, notification

SOURCE = Path(__file__).parents[3] / "examples/event-consumer/main.py"


class Room:
    """A chat room's webhook."""

    def __init__(self) -> None:
        self.url = ""
        self.said: list[str] = []
        self.code = 200

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        if self.code == 200:
            self.said.append(Request(environ).get_json()["text"])
        start_response(f"{self.code} any", [])
        return [b""]


@pytest.fixture
def room() -> Iterator[Room]:
    """A chat room."""
    made = Room()
    server = LoopbackServer(made, 0, 2)
    server.start()
    made.url = server.url
    yield made
    server.stop()


@pytest.fixture
def consumer(room: Room) -> Iterator[str]:
    """The function; its URL."""
    port = free_port()
    framework = str(Path(sys.executable).with_name("functions-framework"))
    what = ["--source", str(SOURCE), "--target", "event_consumer", "--signature-type", "cloudevent"]
    command = [framework, *what, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, env=os.environ | {"WEBHOOK_URL": room.url}) as process:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                requests.get(url, timeout=5)
                break
            except requests.ConnectionError:
                assert process.poll() is None
                time.sleep(0.05)
        yield url
        process.terminate()


def event(event_type: str, **about: Any) -> Event:
    """A notification about the recovery of a host."""
    event_id = str(uuid4())
    values = vars(notification()) | {"fault": None} | about
    body = write(event_type, event_id, "ctl1", NOW, values)
    return Event(event_id=event_id, event_type=event_type, subject="n", created_at=NOW, body=body)


def send(consumer: str, sent: Event) -> int:
    """Send an event as the relay does; returns the status."""
    headers, body = binary(sent)
    return requests.post(consumer, body, headers=headers, timeout=10).status_code


def test_the_room_hears_of_a_recovery_that_failed_and_why(room: Room, consumer: str) -> None:
    values = {"status": "failed", "fault": fault(RecoveryFailed("no host is left"))}
    assert send(consumer, event("notification.process.start")) == 200
    assert send(consumer, event("notification.process.error", **values)) == 200
    assert room.said == [
        "Recovery of host host has begun (COMPUTE_HOST).",
        "Recovery of host host is in failed: no host is left",
    ]


def test_an_event_that_comes_twice_is_told_once(room: Room, consumer: str) -> None:
    sent = event("notification.process.end", status="finished")
    assert [send(consumer, sent), send(consumer, sent)] == [200, 200]
    assert room.said == ["Recovery of host host is finished."]


def test_what_nobody_wants_to_hear_is_not_told(room: Room, consumer: str) -> None:
    assert send(consumer, event("notification.create.end")) == 200
    assert room.said == []


def test_an_event_comes_again_while_the_room_is_closed(room: Room, consumer: str) -> None:
    sent, room.code = event("notification.process.start"), 503
    assert send(consumer, sent) == 500
    room.code = 200
    assert send(consumer, sent) == 200
    assert len(room.said) == 1
