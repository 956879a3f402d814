"""An instance with OpenFaaS' watchdog in front of it; a stand-in that passes calls on, as the real one does."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from instance_ha.serving.watchdog import level
from instance_ha_simulator.files import free_port

from tests.unit.serving.served import Serve, Served

STAND_IN = """#!/usr/bin/env python3
import http.server, json, os, sys, urllib.request

print("2026/11/26 18:03:06 Listening on port: 8080", file=sys.stderr, flush=True)
url = os.environ["upstream_url"]
answer = urllib.request.urlopen(url + "/_/health", timeout=20).status  # at once: it does not try again
with open(os.environ["STARTED"], "w") as file:
    json.dump({"answer": answer, "fprocess": os.environ["fprocess"], "pid": os.getpid()}, file)


class Pass(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = urllib.request.urlopen(url + self.path).read()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["port"])), Pass).serve_forever()
"""


class Fronted:
    """A function with the stand-in in front."""

    def __init__(self, serve: Serve, folder: Path) -> None:
        self.port, self.url = free_port(), ""
        program, started = folder / "fwatchdog", folder / "started"
        program.write_text(STAND_IN)
        program.chmod(0o755)
        own = free_port()
        variables = {"WATCHDOG": str(program), "STARTED": str(started), "port": str(self.port)}
        variables |= {"upstream_url": f"http://127.0.0.1:{own}", "PORT": str(own), "fprocess": "false"}
        self.function: Served = serve(**variables)
        self.url = f"http://127.0.0.1:{self.port}"
        until = time.monotonic() + 20
        while not self.answers() and time.monotonic() < until:
            time.sleep(0.05)
        self.seen = json.loads(started.read_text())

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/_/health", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


@pytest.fixture
def fronted(served: Serve, tmp_path: Path) -> Iterator[Fronted]:
    """A running instance; its stand-in ends with the test, as everything does with a container."""
    made = Fronted(served, tmp_path)
    yield made
    for process in psutil.process_iter(["cmdline"]):
        if str(tmp_path / "fwatchdog") in (process.info["cmdline"] or []):
            process.kill()


def test_the_watchdog_is_started_when_the_function_answers_and_starts_no_other(fronted: Fronted) -> None:
    assert fronted.seen["answer"] == 200
    assert fronted.seen["fprocess"] == "cat"
    assert requests.get(fronted.url, timeout=10).text == "done"


def test_work_whose_sender_has_hung_up_is_finished_when_the_instance_is_told_to_end(
    fronted: Fronted, tmp_path: Path
) -> None:
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{fronted.url}/?seconds=3&write={tmp_path / 'done'}", timeout=0.5)

    fronted.function.process.send_signal(signal.SIGTERM)
    code, output = fronted.function.end()

    assert (tmp_path / "done").exists()
    assert code == 0
    assert "watchdog ended" not in output
    assert not psutil.pid_exists(fronted.seen["pid"]) or not fronted.answers()


def test_an_instance_ends_in_order_when_its_watchdog_has_ended(fronted: Fronted) -> None:
    psutil.Process(fronted.seen["pid"]).kill()

    code, output = fronted.function.end()

    assert code == 0
    assert "watchdog ended" in output


def test_what_the_watchdog_writes_stands_among_our_lines_without_its_own_time(fronted: Fronted) -> None:
    fronted.function.process.send_signal(signal.SIGTERM)
    _, output = fronted.function.end()

    (line,) = [line for line in output.splitlines() if "Listening on port: 8080" in line]
    assert "watchdog wrote" in line
    assert "18:03:06" not in line


CALL = 'Upstream HTTP request error: Post "http://127.0.0.1:5000/":'


@pytest.mark.parametrize(
    ("line", "of"),
    [
        ("POST / - 204 NO CONTENT - ContentLength: 0B (2.0188s)", "debug"),
        ("GET /v1/segments - 500 INTERNAL SERVER ERROR - ContentLength: 90B (0.2s)", "debug"),  # we log our errors
        (f"{CALL} context canceled", "debug"),
        ("Upstream HTTP killed due to exec_timeout: 1m0s", "debug"),
        (f"{CALL} read tcp 127.0.0.1:8080->127.0.0.1:39822: i/o timeout", "debug"),
        (f"{CALL} unexpected EOF", "debug"),
        ("Error copying response body: write tcp 127.0.0.1:8080->10.0.0.7:52344: write: broken pipe", "debug"),
        (f"{CALL} context deadline exceeded", "warning"),
        (f"{CALL} dial tcp 127.0.0.1:5000: connect: connection refused", "warning"),
        ("panic: metrics error ListenAndServe: listen tcp :8081: bind: address already in use", "warning"),
        ("Forked function has terminated: signal: killed", "warning"),
        ('Watchdog mode: http\tfprocess: "cat"', "info"),
    ],
)
def test_a_sender_that_does_not_wait_is_no_trouble_and_all_else_that_fails_is(line: str, of: str) -> None:
    assert level(line) == of
