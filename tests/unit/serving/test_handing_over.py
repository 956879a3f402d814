"""A function of the API hands its triggers over beside its answers, and all of them before it ends."""

import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from instance_ha.store.database import Database
from sqlalchemy import text

from tests.unit.serving.served import serving

FUNCTION = Path(__file__).parents[3] / "functions" / "api-notifications"
HOSTS = """
    INSERT INTO failover_segments (created_at, uuid, name, service_type, recovery_method, enabled)
        VALUES (now(), 'segment', 'segment', 'COMPUTE', 'auto', true);
    INSERT INTO hosts (created_at, uuid, name, type, control_attributes, failover_segment_id, reserved, on_maintenance)
        VALUES (now(), 'host', 'compute1', 'COMPUTE', 'SSH', 'segment', false, false);
"""
PAYLOAD = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}


class Broker(ThreadingHTTPServer):
    """Takes a trigger only when it is let."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked, self.let, self.taken = threading.Event(), threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Broker

    def do_POST(self) -> None:
        self.server.asked.set()
        self.server.let.wait(20)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.end_headers()
        self.server.taken.set()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def broker() -> Iterator[Broker]:
    """Run a broker."""
    server = Broker()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_report_is_answered_before_its_trigger_is_taken_and_an_instance_ends_after_it(
    broker: Broker, database: Database, database_url: str
) -> None:
    with database.begin() as connection:
        for statement in HOSTS.split(";\n")[:2]:
            connection.execute(text(statement))
    settings = {
        "DATABASE_URL": database_url,
        "INSTANCE_HA_AUTH_STRATEGY": "noauth2",
        "INSTANCE_HA_TRIGGER_KEY": "k" * 64,
        "INSTANCE_HA_TRIGGER_SINK": f"http://127.0.0.1:{broker.server_port}/{{function}}",
        "INSTANCE_HA_TRIGGER_ANSWER_TIMEOUT": "20",
        "INSTANCE_HA_TRIGGER_TIMEOUT": "4",
        "OS_AUTH_TYPE": "none",
        "OS_COMPUTE_ENDPOINT_OVERRIDE": "http://127.0.0.1:9",
    }
    with serving(FUNCTION) as serve:
        served = serve(**settings)
        report = {"type": "COMPUTE_HOST", "hostname": "compute1", "payload": PAYLOAD}
        answer = requests.post(
            f"http://127.0.0.1:{served.port}/v1/notifications",
            json={"notification": report | {"generated_time": "2026-11-28T10:00:00"}},
            headers={"X-Auth-Token": "admin:admin"},
            timeout=15,
        )
        assert answer.status_code == 202, answer.text
        assert broker.asked.wait(15)
        assert not broker.taken.is_set()
        os.kill(served.process.pid, signal.SIGTERM)
        broker.let.set()
        assert served.end()[0] == 0
        assert broker.taken.is_set()
