"""One running installation for all tests of this folder: functions, Postgres, a simulated cloud."""

import io
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import requests
import structlog
from instance_ha.store.database import Database
from instance_ha.world import World
from instance_ha_simulator.files import temporary_state_dir
from sqlalchemy import text

from local.hosting import Hosting, InProcess
from local.runtime import Options, Runtime, without_cloud
from tests.followers import KEYS, Aws, Follower

_SETTINGS = {
    "invocation_time": "3",
    "sweep_time": "3",
    "lease_time": "6",
    "verify_interval": "0.1",
    "log_level": "DEBUG",
}
_CLOUD = {"report_interval": 0.2, "service_down_time": 0.5, "evacuate_seconds": 0.1}


class Installation:
    """What a test calls: the API as one of the cloud's users, and the event functions."""

    def __init__(self, runtime: Runtime, log: io.StringIO, follower: Follower) -> None:
        self.runtime = runtime
        self.log = log
        self.cloud = runtime.cloud
        self.url = runtime.url
        self.traffic: list[str] = []
        self.database = Database(runtime.database_url)
        self.follower = follower
        self.queue = ""
        self._tokens: dict[str, str] = {}
        self.used_tokens: set[str] = set()

    def world(self, function: str) -> World:
        """Return the world that a function works in."""
        assert isinstance(self.runtime.backend, InProcess)
        return self.runtime.backend.world(function)

    def token(self, user: str = "admin", *, fresh: bool = False) -> str:
        """Return a token of a user."""
        if fresh or user not in self._tokens:
            with self.cloud.world():
                who = self.cloud.identity.users[user]
                self._tokens[user] = self.cloud.identity.issue(who, who.project.id).id
            self.used_tokens.add(self._tokens[user])
        return self._tokens[user]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = "admin",
        version: str | None = "1.3",
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
    ) -> requests.Response:
        """Send one request; `user=None` sends no token, `version=None` no microversion."""
        given = {} if user is None else {"X-Auth-Token": self.token(user)}
        if version is not None:
            given["OpenStack-API-Version"] = f"instance-ha {version}"
        if data is not None:
            given["Content-Type"] = "application/json"
        url = f"{self.url}{path}"
        answer = requests.request(
            method, url, json=body, data=data, headers=given | (headers or {}), timeout=30, allow_redirects=False
        )
        self.traffic.append(f"{answer.headers} {answer.text}")
        return answer

    def get(self, path: str, **how: Any) -> requests.Response:
        """GET."""
        return self.call("GET", path, **how)

    def post(self, path: str, body: Any = None, **how: Any) -> requests.Response:
        """POST."""
        return self.call("POST", path, body, **how)

    def tick(self, function: str, **how: Any) -> requests.Response:
        """POST as the scheduler does."""
        token = (self.runtime.options.state_dir / "secrets/cron-token").read_text().strip()
        return self.post(f"/function/{function}", user=None, headers={"Authorization": f"Bearer {token}"}, **how)

    def put(self, path: str, body: Any = None, **how: Any) -> requests.Response:
        """PUT."""
        return self.call("PUT", path, body, **how)

    def delete(self, path: str, **how: Any) -> requests.Response:
        """DELETE."""
        return self.call("DELETE", path, **how)

    def segment(self, **about: Any) -> dict[str, Any]:
        """Have a segment."""
        body = {"name": unique("segment"), "recovery_method": "auto", "service_type": "COMPUTE"}
        answer = self.post("/v1/segments", {"segment": body | about})
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["segment"])

    def host(self, segment: dict[str, Any], **about: Any) -> dict[str, Any]:
        """Have a host, which the cloud knows."""
        name = about.get("name") or unique("compute")
        self.cloud.add_host(name)
        body = {"name": name, "type": "COMPUTE", "control_attributes": "SSH"}
        answer = self.post(f"/v1/segments/{segment['uuid']}/hosts", {"host": body | about})
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["host"])

    def notification(self, host: dict[str, Any], **about: Any) -> dict[str, Any]:
        """Have a notification that asks for nothing: its host has started."""
        answer = self.post("/v1/notifications", {"notification": report(host["name"], **about)})
        assert answer.status_code == 202, answer.text
        return dict(answer.json()["notification"])

    def sql(self, statement: str, **values: Any) -> None:
        """Change rows as no request could."""
        with self.database.begin() as connection:
            connection.execute(text(statement), values)

    def forget_segments(self) -> None:
        """Delete all segments, and all hosts of the cloud: what goes through all need not go through other tests'."""
        for table in ("hosts", "failover_segments"):
            self.sql(f"UPDATE {table} SET deleted_at = now() WHERE deleted_at IS NULL")
        with self.cloud.world() as world:
            world.servers.clear()
            world.hosts.clear()

    def secrets(self) -> list[str]:
        """Name all that must never be told."""
        folder = self.runtime.options.state_dir
        password = (folder / "postgres-password").read_text().strip()
        names = ("trigger-key", "task-key", "metrics-token", "cron-token")
        mounted = [(folder / "secrets" / name).read_text().strip() for name in names]
        users = [user.password for user in self.cloud.identity.users.values()]
        return [password, *mounted, KEYS["AWS_SECRET_ACCESS_KEY"], *users, *self.used_tokens]


def unique(prefix: str) -> str:
    """Make a name that no other test has."""
    return f"{prefix}-{uuid4().hex[:10]}"


def report(hostname: str, **about: Any) -> dict[str, Any]:
    """Return the body of a notification that asks for nothing."""
    payload = {"event": "STARTED", "host_status": "NORMAL", "cluster_status": "ONLINE"}
    body = {"type": "COMPUTE_HOST", "hostname": hostname, "generated_time": "2026-11-22T03:00:00", "payload": payload}
    return body | about


def fault(answer: requests.Response) -> tuple[int, str]:
    """Return code and name of an answer in the fault format."""
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    ((name, inside),) = answer.json().items()
    assert set(inside) == {"code", "message"}
    assert inside["code"] == answer.status_code
    return answer.status_code, name


def closed(
    installation: Installation, notification: dict[str, Any], seconds: float = 20, *, but_for: str = ""
) -> dict[str, Any]:
    """Return a notification when its recovery has ended, or has another status that a test waits for."""
    until = time.monotonic() + seconds
    while True:
        shown = dict(installation.get(f"/v1/notifications/{notification['notification_uuid']}").json()["notification"])
        if shown["status"] in {"finished", "failed", "ignored", but_for}:
            return shown
        assert time.monotonic() < until, shown
        threading.Event().wait(0.05)


@contextmanager
def installed(aws: Aws, hosting: Hosting = InProcess) -> Iterator[Installation]:
    """Run the product, with nothing of the caller's environment, and two who follow it: a web server and a queue."""
    before, follower = structlog.get_config(), Follower()
    queue = aws.queue(f"{unique('installation')}.fifo")
    sinks = f"web={follower.url} queue=sqs+{queue}"
    settings = _SETTINGS | {"event_sinks": sinks, "event_endpoint_url": aws.url}
    log = io.StringIO()
    library = logging.StreamHandler(log)
    library.setLevel(logging.WARNING)
    with temporary_state_dir() as folder:
        environ = without_cloud(os.environ) | KEYS
        options = Options(folder, 0, hosting, durable=False, sim=_CLOUD, settings=settings, environ=environ)
        with Runtime(options) as runtime:
            structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
            logging.getLogger().addHandler(library)
            made = Installation(runtime, log, follower)
            made.queue = queue
            yield made
            made.database.close()
            logging.getLogger().removeHandler(library)
    follower.stop()
    structlog.configure(**before)


@pytest.fixture(scope="package")
def installation(aws: Aws) -> Iterator[Installation]:
    """The running installation."""
    with installed(aws) as running:
        yield running


@pytest.fixture(autouse=True)
def no_secret_is_told(installation: Installation) -> Iterator[None]:
    """After each test: nothing that was answered or logged in it holds a secret."""
    installation.traffic.clear()
    begin = installation.log.tell()
    yield
    seen = "\n".join([*installation.traffic, installation.log.getvalue()[begin:]])
    assert [secret[:4] for secret in installation.secrets() if secret in seen] == []


@pytest.fixture
def segment(installation: Installation) -> dict[str, Any]:
    """A segment of its own."""
    return installation.segment()


@pytest.fixture
def host(installation: Installation, segment: dict[str, Any]) -> dict[str, Any]:
    """A host of its own, in the segment."""
    return installation.host(segment)


@pytest.fixture
def under_recovery(installation: Installation, host: dict[str, Any]) -> Iterator[None]:
    """A failure of the host waits for an operator's retry, and no function touches it."""
    uuid = closed(installation, installation.notification(host, generated_time="2001-01-01"))["notification_uuid"]
    change = """UPDATE notifications SET status = :status, due_at = NULL, payload = payload || :event
        WHERE notification_uuid = :uuid"""
    installation.sql(change, status="error", uuid=uuid, event='{"event": "STOPPED"}')
    yield
    installation.sql(change, status="finished", uuid=uuid, event='{"event": "STARTED"}')  # or many are a storm
