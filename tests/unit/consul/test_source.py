"""The Consul driver over HTTP, against agents that answer as Consul does."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from instance_ha.consul.clusters import read
from instance_ha.consul.source import ConsulSource
from instance_ha.models.errors import Misconfigured, SourceUnavailable
from instance_ha.models.health import Reading, Snapshot
from instance_ha.settings import Settings, load
from instance_ha_simulator.cloud import consul
from instance_ha_simulator.cloud.server import LoopbackServer

from tests.receivers import drip, receiver

UP, DOWN, UNKNOWN = Reading.UP, Reading.DOWN, Reading.UNKNOWN
NETWORKS = ("manage", "tenant", "storage")


def settings(**values: object) -> Settings:
    """Return settings."""
    given = {f"INSTANCE_HA_{name.upper()}": str(value) for name, value in values.items()}
    return load({"DATABASE_URL": "postgresql://db/ha", **given})


class Agents:
    """Three agents, and a driver that asks them."""

    def __init__(self) -> None:
        self.clusters = consul.Clusters(NETWORKS)
        for name in ("compute1", "compute2"):
            self.clusters.add_host(name)
        self.servers = {n: LoopbackServer(consul.create_app(a), 0, 2) for n, a in self.clusters.agents.items()}
        for server in self.servers.values():
            server.start()

    def __getitem__(self, network: str) -> consul.Agent:
        return self.clusters.agents[network]

    def poll(self, **values: object) -> Snapshot:
        """Ask."""
        addresses = {f"consul_agent_{network}": server.url for network, server in self.servers.items()}
        return ConsulSource(settings(**(addresses | values))).poll(frozenset())


@pytest.fixture
def agents() -> Iterator[Agents]:
    """The agents."""
    made = Agents()
    yield made
    for server in made.servers.values():
        server.stop()


def test_a_host_is_up_where_the_gossip_calls_it_alive_and_down_where_it_has_failed(agents: Agents) -> None:
    agents.clusters.set("compute1", consul.FAILED, ["storage"])
    seen = agents.poll().hosts
    assert seen["compute1"].vector == {"manage": UP, "tenant": UP, "storage": DOWN}
    assert seen["compute2"].vector == {"manage": UP, "tenant": UP, "storage": UP}


def test_a_host_that_one_cluster_lacks_is_unknown_there(agents: Agents) -> None:
    del agents["manage"].members["compute1"]
    assert agents.poll().hosts["compute1"].vector == {"manage": UNKNOWN, "tenant": UP, "storage": UP}


@pytest.mark.parametrize(("as_masakari", "reading"), [("false", UNKNOWN), ("true", DOWN)])
def test_an_agent_that_was_stopped_in_order_says_nothing_of_its_host_unless_wished(
    agents: Agents, as_masakari: str, reading: Reading
) -> None:
    agents.clusters.set("compute1", consul.LEFT, ["storage"])
    seen = agents.poll(consul_left_is_down=as_masakari).hosts["compute1"]
    assert seen.vector["storage"] is reading
    assert seen.administratively_down


def test_the_token_goes_as_a_header_and_never_into_the_address(agents: Agents) -> None:
    agents["storage"].token = "s3cret"
    agents.poll(consul_token_storage="s3cret")
    assert {(asked["query"], asked["token"]) for asked in agents["storage"].seen} == {("", "s3cret")}
    assert {asked["token"] for asked in agents["manage"].seen} == {""}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("empty", "storage lists no member"),
        ("refused", "storage refused: ACLPermissionDenied"),
        ("error", "storage refused: .*500"),
        ("no-leader", "storage has no leader"),
        ("garbage", "an answer that is not Consul's"),
    ],
)
def test_an_agent_that_does_not_answer_well_makes_the_whole_answer_none(
    agents: Agents, answers: str, words: str
) -> None:
    agents["storage"].answers = answers
    with pytest.raises(SourceUnavailable, match=words):
        agents.poll()


def test_without_its_token_an_agent_lists_nobody_and_that_is_no_answer(agents: Agents) -> None:
    agents["storage"].token = "s3cret"
    with pytest.raises(SourceUnavailable, match="lists no member"):
        agents.poll()


def test_a_rejected_token_is_not_reported(agents: Agents) -> None:
    agents["storage"].token = "good"
    with pytest.raises(SourceUnavailable) as raised:
        agents.poll(consul_token_storage="s3cret")
    assert "s3cret" not in str(raised.value)


def test_an_agent_that_hangs_costs_no_more_than_its_time_limit(agents: Agents) -> None:
    agents["tenant"].answers, agents["tenant"].seconds = "slow", 2.0
    with pytest.raises(SourceUnavailable, match="tenant did not answer in time"):
        agents.poll(consul_timeout_tenant=0.2)


def test_an_agent_that_is_not_there_and_one_that_refuses_are_both_reported(agents: Agents) -> None:
    agents["manage"].answers = "refused"
    with pytest.raises(SourceUnavailable, match=r"manage refused.*; .*storage cannot be reached"):
        agents.poll(consul_agent_storage="127.0.0.1:1")


def test_consuls_own_variables_do_not_turn_three_clusters_into_one(agents: Agents) -> None:
    program = """
import os
from instance_ha.consul.source import ConsulSource
from instance_ha.settings import load
print(*ConsulSource(load(os.environ)).poll(frozenset()).hosts)
"""
    of_consul = {"CONSUL_HTTP_ADDR": "127.0.0.1:1", "CONSUL_HTTP_SSL": "true", "CONSUL_HTTP_TOKEN": "of somebody else"}
    ours = {f"INSTANCE_HA_CONSUL_AGENT_{network.upper()}": server.url for network, server in agents.servers.items()}
    environ = of_consul | ours | {"DATABASE_URL": "postgresql://db/ha"}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"compute1", "compute2"}
    assert {asked["token"] for asked in agents["manage"].seen} == {""}


def test_only_configured_clusters_are_part_of_the_vector(agents: Agents) -> None:
    url = agents.servers["manage"].url
    source = ConsulSource(settings(consul_agent_manage=url))
    assert source.strategy.networks == ("manage",)
    assert source.poll(frozenset()).hosts["compute1"].vector == {"manage": UP}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1", ("http", "10.0.0.1", 8500)),
        ("10.0.0.1:8501", ("http", "10.0.0.1", 8501)),
        ("https://consul.example:8501/", ("https", "consul.example", 8501)),
        ("[::1]:8500", ("http", "[::1]", 8500)),
    ],
)
def test_an_agents_address_may_be_written_as_for_masakari_or_as_a_url(text: str, address: tuple[str, str, int]) -> None:
    ((cluster,), _) = read(settings(consul_agent_manage=text))
    assert (cluster.scheme, cluster.host, cluster.port) == address


@pytest.mark.parametrize("text", ["ftp://a", "http://a/path", "http://user:pw@a", "a:port", "http://", "a?token=x"])
def test_an_address_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(Misconfigured, match="INSTANCE_HA_CONSUL_AGENT_STORAGE"):
        read(settings(consul_agent_storage=text))


def test_no_agent_at_all_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="no Consul agent"):
        read(settings())


def test_files_that_are_not_there_stop_the_start(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        with pytest.raises(Misconfigured, match="which is not there"):
            read(settings(consul_agent_manage="a", **{f"consul_{name}_file_manage": tmp_path / "no.pem"}))
    (tmp_path / "cert.pem").touch()
    with pytest.raises(Misconfigured, match="needs its key"):
        read(settings(consul_agent_manage="a", consul_cert_file_manage=tmp_path / "cert.pem"))


@pytest.mark.parametrize("text", ["{", "sequence: [manage]", "\tx"])
def test_a_strategy_file_that_is_none_stops_the_start_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "matrix.yaml"
    file.write_text(text)
    with pytest.raises(Misconfigured, match=r"matrix\.yaml") as raised:
        read(settings(consul_agent_manage="a", consul_matrix_config_file=file))
    assert "\n" not in str(raised.value)


def test_a_strategy_file_says_which_clusters_are_asked(tmp_path: Path) -> None:
    file = tmp_path / "matrix.yaml"
    file.write_text("sequence: [storage, manage]\nmatrix: [{health: [down, down], action: [recovery]}]\n")
    agents = {f"consul_agent_{network}": network for network in NETWORKS}
    clusters, strategy = read(settings(consul_matrix_config_file=file, **agents))
    assert [cluster.network for cluster in clusters] == ["storage", "manage"] == list(strategy.networks)


@pytest.mark.parametrize("head", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
def test_an_agent_that_answers_a_byte_at_a_time_does_not_answer(head: bytes) -> None:
    with receiver(drip(head)) as url, pytest.raises(SourceUnavailable, match="did not answer in time"):
        agent = url.removesuffix("/events")
        ConsulSource(settings(consul_agent_manage=agent, consul_timeout_manage=0.3)).poll(frozenset())
