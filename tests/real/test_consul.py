"""The Consul driver against three real clusters, whose links are cut and healed."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from instance_ha.consul.source import ConsulSource
from instance_ha.decide.strategy import evaluate
from instance_ha.models.errors import SourceUnavailable
from instance_ha.models.health import HostState, Snapshot
from instance_ha.settings import load

from tests.real import clusters
from tests.real.clusters import HOSTS, MASTER, NETWORKS, Clusters
from tests.real.conftest import part

_PATIENCE = 90.0


@pytest.fixture(scope="module")
def consul(
    namespaces: None, processes: list[subprocess.Popen[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clusters]:
    """Three clusters of four hosts."""
    made = Clusters(part("usr/bin/consul"), tmp_path_factory.mktemp("consul"), processes)
    with clusters.networks():
        made.start()
        _until(lambda: _complete(made), "all hosts have joined")
        yield made
        for process in processes:
            process.kill()


def _source(consul: Clusters, **values: Any) -> ConsulSource:
    given: dict[str, Any] = {f"consul_agent_{network}": consul.url(network) for network in NETWORKS}
    given |= {"consul_ca_file_manage": consul.ca, "consul_token_storage": MASTER, **values}
    environ = {f"INSTANCE_HA_{name.upper()}": str(value) for name, value in given.items() if value is not None}
    return ConsulSource(load({"DATABASE_URL": "postgresql://db/ha", **environ}))


def _complete(consul: Clusters) -> bool:
    try:
        snapshot = _source(consul).poll(frozenset())
    except SourceUnavailable:
        return False
    return all(_state(consul, host, snapshot) is HostState.UP for host in HOSTS)


def _state(consul: Clusters, host: str, snapshot: Snapshot | None = None) -> HostState:
    source = _source(consul)
    seen = (snapshot or source.poll(frozenset())).hosts.get(host)
    return evaluate(source.strategy, seen.vector if seen else {})


def _until(holds: Any, what: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < until, f"not within {_PATIENCE} s: {what}"
        time.sleep(0.5)


def test_a_cut_storage_link_makes_a_host_down_and_a_healed_one_up_again(consul: Clusters) -> None:
    clusters.link("compute1", "storage", "down")
    _until(lambda: _state(consul, "compute1") is HostState.DOWN, "compute1 is down")
    assert _source(consul).poll(frozenset()).hosts["compute1"].vector == {
        "manage": "up",
        "tenant": "up",
        "storage": "down",
    }
    assert _state(consul, "compute2") is HostState.UP
    clusters.link("compute1", "storage", "up")
    _until(lambda: _state(consul, "compute1") is HostState.UP, "compute1 is up")


def test_other_cut_links_spare_a_host(consul: Clusters) -> None:
    for network in ("manage", "tenant"):
        clusters.link("compute2", network, "down")
    _until(lambda: _state(consul, "compute2") is HostState.DEGRADED, "compute2 is degraded")
    for network in ("manage", "tenant"):
        clusters.link("compute2", network, "up")
    _until(lambda: _state(consul, "compute2") is HostState.UP, "compute2 is up")


def test_when_our_own_agent_loses_a_network_all_hosts_poll_down_there(consul: Clusters) -> None:
    clusters.link("control", "storage", "down")
    _until(lambda: all(_state(consul, host) is HostState.DOWN for host in HOSTS), "all poll down")
    clusters.link("control", "storage", "up")
    _until(lambda: _complete(consul), "all are seen again")


def test_without_a_token_nobody_is_listed_and_with_a_wrong_one_we_are_refused(consul: Clusters) -> None:
    with pytest.raises(SourceUnavailable, match="storage lists no member"):
        _source(consul, consul_token_storage=None).poll(frozenset())
    wrong = "99999999-2222-3333-4444-555555555555"
    with pytest.raises(SourceUnavailable, match="storage refused: ACLPermissionDenied") as raised:
        _source(consul, consul_token_storage=wrong).poll(frozenset())
    assert wrong not in str(raised.value)


def test_an_agent_with_a_certificate_of_another_ca_is_not_believed(consul: Clusters, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="manage cannot be reached: SSLError"):
        _source(consul, consul_ca_file_manage=None).poll(frozenset())


def test_an_agent_that_was_stopped_in_order_says_nothing_of_its_host(consul: Clusters) -> None:
    consul.leave("compute3", "tenant")
    _until(lambda: _state(consul, "compute3") is HostState.UNKNOWN, "compute3 has left")
    as_masakari = _source(consul, consul_left_is_down=True)
    assert as_masakari.poll(frozenset()).hosts["compute3"].vector["tenant"] == "down"
