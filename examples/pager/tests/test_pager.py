"""The task in a recovery: by the real functions, in a simulated cloud."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pager
import pytest
from instance_ha_simulator.testing import recover

FLOWS = """\
[taskflow_driver_recovery_flows]
host_auto_failure_recovery_tasks = pre:['call_pager','disable_compute_service_task'],
  main:['prepare_HA_enabled_instances_task'],post:['evacuate_instances_task']
"""


@pytest.fixture
def calls() -> Iterator[list[str]]:
    """What a pager has received."""
    received: list[str] = []

    class Pager(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", urlsplit(pager.URL).port or 80), Pager)
    Thread(target=server.serve_forever, daemon=True).start()
    yield received
    server.shutdown()
    server.server_close()


def test_the_pager_is_called(database_url: str, calls: list[str]) -> None:
    recovery = recover(database_url, FLOWS)
    assert calls == ["compute1 has failed"]
    assert "The pager was called" in recovery.progress["call_pager"]


def test_a_pager_that_does_not_answer_does_not_stop_the_recovery(database_url: str) -> None:
    recovery = recover(database_url, FLOWS)
    assert (recovery.status, recovery.message) == ("finished", "2 of 2 instances evacuated")
    assert "Failed; the recovery goes on" in recovery.progress["call_pager"][-1]
