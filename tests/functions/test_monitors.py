"""The monitors beside a running installation: ticks over HTTP, and real reports with the monitor's own credentials."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from instance_ha.consul.source import ConsulSource
from instance_ha.monitoring import hosts
from instance_ha.world import HostMonitorWorld, SystemClock
from instance_ha_simulator.cloud import consul
from instance_ha_simulator.cloud.server import LoopbackServer

from local.hosting import Call
from tests.functions.conftest import Installation

NETWORKS = ("manage", "tenant", "storage")


@pytest.mark.parametrize("function", ["monitor-poll"])
def test_a_monitor_that_is_not_configured_answers_its_tick_and_does_nothing(
    installation: Installation, function: str
) -> None:
    assert installation.runtime.backend is not None
    assert installation.tick(function).status_code == 204
    assert installation.runtime.backend.call(function, Call("GET", "/", {})).code == 405
    assert installation.runtime.backend.call(function, Call("GET", "/_/health", {})).code == 200


class Jumping(SystemClock):
    """The machine's clock, some time ahead."""

    ahead = timedelta()

    def now(self) -> Any:
        """Return the time."""
        return super().now() + self.ahead


@dataclass
class Monitor:
    """A monitor-poll with three Consul clusters, on a clock that jumps."""

    clusters: consul.Clusters
    world: HostMonitorWorld
    clock: Jumping

    def poll(self) -> None:
        """Make the next poll, when it is due."""
        self.clock.ahead += timedelta(seconds=self.world.settings.monitoring_interval)
        assert hosts.poll_once(self.world)


@pytest.fixture
def monitor(installation: Installation) -> Iterator[Monitor]:
    """A monitor that reports to the installation's API, found in the catalog."""
    clusters = consul.Clusters(NETWORKS)
    servers = {n: LoopbackServer(consul.create_app(a), 0, 2) for n, a in clusters.agents.items()}
    values: dict[str, Any] = {"monitoring_driver": "consul", "monitoring_samples": 2}
    for network, server in servers.items():
        server.start()
        values[f"consul_agent_{network}"] = server.url
    world = installation.world("monitor-poll")
    assert isinstance(world, HostMonitorWorld)
    settings = world.settings.model_copy(update=values)
    clock = Jumping()
    yield Monitor(clusters, replace(world, settings=settings, source=ConsulSource(settings), clock=clock), clock)
    installation.sql("DELETE FROM watches")
    for server in servers.values():
        server.stop()


def _reported(installation: Installation, host: dict[str, Any]) -> list[dict[str, str]]:
    answer = installation.get(f"/v1/notifications?source_host_uuid={host['uuid']}&sort_dir=asc")
    return [notification["payload"] for notification in answer.json()["notifications"]]


def _wait_for_maintenance(installation: Installation, host: dict[str, Any]) -> None:
    until = time.monotonic() + 30
    path = f"/v1/segments/{host['failover_segment_id']}/hosts/{host['uuid']}"
    while not installation.get(path).json()["host"]["on_maintenance"]:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_host_that_is_down_is_reported_once_and_its_start_too(
    installation: Installation, host: dict[str, Any], monitor: Monitor
) -> None:
    monitor.clusters.set(host["name"], consul.FAILED)
    monitor.poll()
    assert _reported(installation, host) == []
    for _ in range(3):
        monitor.poll()
    stopped = {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
    assert _reported(installation, host) == [stopped]
    _wait_for_maintenance(installation, host)  # which its recovery puts it on, when it begins
    installation.sql("UPDATE hosts SET on_maintenance = false WHERE uuid = :uuid", uuid=host["uuid"])
    monitor.clusters.set(host["name"], consul.ALIVE)
    for _ in range(3):
        monitor.poll()
    started = {"event": "STARTED", "cluster_status": "ONLINE", "host_status": "NORMAL"}
    assert _reported(installation, host) == [stopped, started]


def test_hosts_on_maintenance_and_of_disabled_segments_are_not_reported(
    installation: Installation, segment: dict[str, Any], monitor: Monitor
) -> None:
    resting = installation.host(segment)
    path = f"/v1/segments/{segment['uuid']}/hosts/{resting['uuid']}"
    assert installation.put(path, {"host": {"on_maintenance": True}}).status_code == 200
    disabled = installation.host(installation.segment(enabled=False))
    for host in (resting, disabled):
        monitor.clusters.set(host["name"], consul.FAILED)
    for _ in range(3):
        monitor.poll()
    assert _reported(installation, resting) == _reported(installation, disabled) == []


def test_another_monitor_that_has_reported_the_same_is_no_trouble(
    installation: Installation, host: dict[str, Any], monitor: Monitor
) -> None:
    now = SystemClock().now().replace(tzinfo=None).isoformat()
    payload = {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
    installation.notification(host, generated_time=now, payload=payload)
    installation.sql("UPDATE hosts SET on_maintenance = false WHERE uuid = :uuid", uuid=host["uuid"])
    monitor.clusters.set(host["name"], consul.FAILED)
    for _ in range(3):
        monitor.poll()
    assert len(_reported(installation, host)) == 1
