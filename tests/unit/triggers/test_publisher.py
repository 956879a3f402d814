"""A trigger that was handed over is not waited for; one that was not is counted and logged."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.triggers import EVACUATE_INSTANCE, RECOVER_HOST, Trigger
from instance_ha.triggers.publisher import HttpPublisher
from structlog.testing import capture_logs

from tests.receivers import receiver


class Sink(ThreadingHTTPServer):
    """Takes events; answers a code after a time."""

    daemon_threads = True

    def __init__(self, code: int, seconds: float) -> None:
        self.code, self.seconds = code, seconds
        self.taken: list[tuple[str, str]] = []
        self.done = threading.Semaphore(0)
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/function/{{function}}"

    def handle_error(self, *_: object) -> None:
        """Be quiet about senders that have gone."""


class Handler(BaseHTTPRequestHandler):
    server: Sink
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers["ce-subject"]))
        time.sleep(self.server.seconds)
        self.server.done.release()
        self.send_response(self.server.code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sink(request: pytest.FixtureRequest) -> Iterator[Sink]:
    server = Sink(*request.param)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def publish(url: str, *subjects: str, answer_timeout: float = 0.3) -> tuple[list[str], float]:
    """Send events; returns the warnings, and how long it took."""
    publisher = HttpPublisher(url, b"key", 2.0, answer_timeout, Recorder())
    begin = time.monotonic()
    with capture_logs() as logs:
        publisher.publish([Trigger(EVACUATE_INSTANCE, subject) for subject in subjects], datetime.now(UTC))
    return [str(line["event"]) for line in logs if line["log_level"] == "warning"], time.monotonic() - begin


@pytest.mark.parametrize("sink", [(204, 1.5)], indirect=True)
def test_a_function_that_works_on_an_event_is_not_waited_for(sink: Sink) -> None:
    warnings, seconds = publish(sink.url, "one")

    assert (warnings, seconds < 1.2) == ([], True)
    assert sink.done.acquire(timeout=5)  # it worked on to its end
    assert sink.taken == [("/function/recover-instance", "one")]


@pytest.mark.parametrize("sink", [(204, 1.5)], indirect=True)
def test_a_connection_that_was_left_behind_is_not_used_again(sink: Sink) -> None:
    publisher = HttpPublisher(sink.url, b"key", 2.0, 0.2, Recorder())
    for subject in ("one", "two", "three"):
        publisher.publish([Trigger(RECOVER_HOST, subject)], datetime.now(UTC))

    assert [subject for _, subject in sink.taken] == ["one", "two", "three"]


@pytest.mark.parametrize("sink", [(204, 5.0)], indirect=True)
def test_beside_an_answer_a_receiver_is_not_waited_for_at_all(sink: Sink) -> None:
    publisher = HttpPublisher(sink.url, b"key", 2.0, 60.0, Recorder(), beside=1)
    publisher.publish([Trigger(RECOVER_HOST, "one")], datetime.now(UTC))

    assert not sink.done.acquire(blocking=False)  # it has not answered yet
    assert sink.done.acquire(timeout=20)  # and it has got it
    assert sink.taken == [("/function/recover-host", "one")]


def test_what_is_too_much_beside_answers_is_counted_and_left_to_sweep() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, capture_logs() as logs:
        url, recorder = f"http://127.0.0.1:{silent.getsockname()[1]}/", Recorder()
        publisher = HttpPublisher(url, b"key", 2.0, 0.5, recorder, beside=2)
        publisher.publish([Trigger(RECOVER_HOST, subject) for subject in "abcd"], datetime.now(UTC))
        publisher._pool.shutdown()
    lost = [(line["subject"], line["reason"]) for line in logs if line["event"] == "trigger not sent"]
    assert lost == [("c", "too many are on their way"), ("d", "too many are on their way")]
    assert sum(recorder._pending.values()) == 2


@pytest.mark.parametrize("sink", [(503, 0.0), (409, 0.0), (500, 0.0)], indirect=True)
def test_a_trigger_that_is_refused_is_logged_and_left_to_sweep(sink: Sink) -> None:
    assert publish(sink.url, "one")[0] == ["trigger not sent"]


def test_a_receiver_that_is_not_there_is_logged() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"

    assert publish(url, "one")[0] == ["trigger not sent"]


@pytest.mark.parametrize("sink", [(500, 1.0)], indirect=True)
def test_a_late_failure_of_a_synchronous_broker_is_neither_waited_for_nor_counted(sink: Sink) -> None:
    recorder = Recorder()
    publisher = HttpPublisher(sink.url, b"key", 2.0, 0.2, recorder)
    with capture_logs() as logs:
        publisher.publish([Trigger(RECOVER_HOST, "one")], datetime.now(UTC))
        assert sink.done.acquire(timeout=5)
    assert [line for line in logs if line["log_level"] == "warning"] == []
    assert recorder._pending == {}


def test_the_connection_stays_open_until_a_late_receiver_has_answered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        publisher = HttpPublisher(url, b"key", 2.0, 0.2, Recorder())
        publisher.publish([Trigger(RECOVER_HOST, "one")], datetime.now(UTC))
        connection, _ = listener.accept()
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):  # all of the request is there, and no end of the connection
            while connection.recv(65536):
                pass
        connection.close()


@pytest.mark.parametrize("sink", [(302, 0.0)], indirect=True)
def test_a_redirect_of_a_signed_trigger_is_not_followed(sink: Sink) -> None:
    assert publish(sink.url, "one")[0] == ["trigger not sent"]
    assert len(sink.taken) == 1


def test_a_receiver_that_does_not_answer_is_not_tried_for_each_of_many_triggers() -> None:
    tries: list[int] = []

    def hang_up(connection: socket.socket) -> None:
        tries.append(1)
        connection.close()

    with receiver(hang_up) as url:
        warnings, _ = publish(url, *map(str, range(200)))
    assert warnings == ["trigger not sent"] * 200
    assert 0 < len(tries) < 200
