"""A Nova or a Keystone that drips, or never ends: each exchange has an end, with the token that it needs."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from instance_ha.keystone.cloud import Cloud
from instance_ha.keystone.tokens import Tokens
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.errors import CloudTimeout, CloudUnavailable
from instance_ha.models.health import NotificationRequest
from instance_ha.notification_client import HttpNotificationClient
from instance_ha.nova import NovaClient
from instance_ha.settings import Settings, load
from instance_ha.world import SystemClock
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud as SimulatedCloud
from instance_ha_simulator.cloud.clouds import login_variables
from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.cloud.server import LoopbackServer
from werkzeug.test import EnvironBuilder

from tests.receivers import Start, drip, flood, receiver
from tests.unit.build import NOW

LIMIT = 0.5
DRIPS = pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX-Header: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"],
    ids=["status", "headers", "body"],
)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start receivers."""
    with ExitStack() as stack:
        yield lambda serve: stack.enter_context(receiver(serve)).removesuffix("/events")


@pytest.fixture(scope="module")
def cloud() -> SimulatedCloud:
    return SimulatedCloud(RealClock(), CloudOptions())


@pytest.fixture(scope="module")
def environ(cloud: SimulatedCloud) -> Iterator[dict[str, str]]:
    """Run a cloud; yields how to log in."""
    server = LoopbackServer(create_app(cloud))
    server.start()
    yield login_variables(cloud, server.url)
    server.stop()


def settings(seconds: float) -> Settings:
    """Return settings with this time limit."""
    return load({"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_NOVA_TIMEOUT": str(seconds)})


def nova(environ: dict[str, str], url: str, seconds: float = LIMIT) -> NovaClient:
    """Make a client whose Nova is at this URL."""
    adapter = Cloud(settings(seconds), environ).adapter("compute", url)
    return NovaClient(adapter, SystemClock(), seconds, seconds, 100, Recorder())


@DRIPS
def test_a_nova_that_drips_is_left_at_the_time_limit(environ: dict[str, str], start: Start, head: bytes) -> None:
    client = nova(environ, start(drip(head)))

    with pytest.raises(CloudTimeout, match="Nova did not answer in time"):
        client.lock("a-server", "why")


@DRIPS
def test_a_keystone_that_drips_holds_no_request_to_nova_longer(
    environ: dict[str, str], start: Start, head: bytes
) -> None:
    dripping = environ | {"OS_AUTH_URL": f"{start(drip(head))}/v3"}
    client = nova(dripping, "http://127.0.0.1:1")

    with pytest.raises(CloudUnavailable):
        client.lock("a-server", "why")


@DRIPS
def test_a_keystone_that_drips_holds_no_check_of_a_token_longer(
    environ: dict[str, str], start: Start, head: bytes
) -> None:
    dripping, given = environ | {"OS_AUTH_URL": f"{start(drip(head))}/v3"}, settings(LIMIT)
    request = EnvironBuilder().get_environ() | {"HTTP_X_AUTH_TOKEN": "some"}
    tokens = Tokens(given, Cloud(given, dripping))

    with pytest.raises(CloudUnavailable):
        tokens.check(request)


@DRIPS
def test_an_api_that_drips_holds_no_monitor_longer(environ: dict[str, str], start: Start, head: bytes) -> None:
    adapter = Cloud(settings(5), environ).adapter("instance-ha", start(drip(head)))
    report = NotificationRequest(hostname="compute1", type="COMPUTE_HOST", generated_time=NOW, payload={})

    with pytest.raises(CloudTimeout):
        HttpNotificationClient(adapter, LIMIT).post(report)


@DRIPS
def test_a_proxy_that_drips_holds_no_request_longer(environ: dict[str, str], start: Start, head: bytes) -> None:
    cloud = Cloud(settings(LIMIT), environ)
    cloud.session.session.proxies = {"https": start(drip(head))}
    client = NovaClient(cloud.adapter("compute", "https://nova.test"), SystemClock(), LIMIT, LIMIT, 100, Recorder())

    with pytest.raises(CloudTimeout):
        client.lock("a-server", "why")


def test_of_an_answer_that_never_ends_no_more_is_read_than_any_answer_has(
    environ: dict[str, str], start: Start
) -> None:
    sent: list[int] = []
    with pytest.raises(CloudUnavailable):
        nova(environ, start(flood(sent)), 60).lock("a-server", "why")
    assert len(sent) < 300


def test_a_connection_to_nova_is_kept_and_its_limits_begin_anew(environ: dict[str, str], start: Start) -> None:
    seen: list[Any] = []

    def serve(connection: socket.socket) -> None:
        seen.append(connection.getpeername())
        time.sleep(LIMIT / 2)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    client = nova(environ, start(serve), 2 * LIMIT)
    for _ in range(4):
        client.lock("a-server", "why")
    assert len(set(seen)) == 1


def test_nothing_is_sent_when_the_time_was_over_while_another_thread_fetched_the_token(
    cloud: SimulatedCloud, environ: dict[str, str], start: Start
) -> None:
    asked: list[Any] = []

    def serve(connection: socket.socket) -> None:
        asked.append(connection.getpeername())
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    adapter = Cloud(settings(60), environ).adapter("compute", start(serve))
    patient = NovaClient(adapter, SystemClock(), 60, 60, 100, Recorder())
    hasty = NovaClient(adapter, SystemClock(), LIMIT, LIMIT, 100, Recorder())
    cloud.faults.add(Rule(path="^/identity", latency=4 * LIMIT, times=1))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(patient.lock, "a-server", "why")
        while not cloud.faults.rules[0].hits:
            time.sleep(0.01)
        with pytest.raises(CloudTimeout):
            hasty.lock("another-server", "why")
        first.result()
    assert len(asked) == 1
