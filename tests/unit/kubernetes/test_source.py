"""The Kubernetes driver over HTTP, against an API server that answers as the real one does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from instance_ha.kubernetes.names import check, host_name
from instance_ha.kubernetes.source import KubernetesSource
from instance_ha.models.errors import Misconfigured, SourceUnavailable
from instance_ha.models.health import Reading
from instance_ha.settings import Settings, load
from instance_ha_simulator.cloud import kubernetes
from instance_ha_simulator.cloud.server import LoopbackServer
from instance_ha_simulator.monitors import kubeconfig_for
from kubernetes import client, config
from structlog.testing import capture_logs

from tests.receivers import drip, receiver

UP, DOWN, UNKNOWN = Reading.UP, Reading.DOWN, Reading.UNKNOWN


def settings(**values: object) -> Settings:
    """Return settings."""
    given = {f"INSTANCE_HA_{name.upper()}": str(value) for name, value in values.items()}
    return load({"DATABASE_URL": "postgresql://db/ha", **given})


class Cluster:
    """An API server, and a driver that asks it."""

    def __init__(self, folder: Path) -> None:
        self.nodes = kubernetes.Nodes(token="good")
        for number in range(1, 4):
            self.nodes.nodes[f"compute{number}"] = kubernetes.Node(labels={"role": "compute"})
        self.server = LoopbackServer(kubernetes.create_app(self.nodes), 0, 2)
        self.server.start()
        self.file = folder / "kubeconfig"
        self.write("good")

    def write(self, token: str) -> None:
        """Write the kubeconfig."""
        self.file.write_text(yaml.safe_dump(kubeconfig_for(self.server.url, token)))

    def poll(self, *listed: str, **values: object) -> dict[str, Reading]:
        """Ask."""
        source = KubernetesSource(settings(kubernetes_config_file=self.file, **values), {})
        return {name: seen.vector["node"] for name, seen in source.poll(frozenset(listed)).hosts.items()}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """The API server."""
    made = Cluster(tmp_path)
    yield made
    made.server.stop()


@pytest.mark.parametrize(("ready", "reading"), [("True", UP), ("Unknown", DOWN), ("False", DOWN), ("New", UNKNOWN)])
def test_ready_says_whether_a_host_is_up(cluster: Cluster, ready: str, reading: Reading) -> None:
    cluster.nodes.nodes["compute1"].ready = ready
    assert cluster.poll() == {"compute1": reading, "compute2": UP, "compute3": UP}


def test_a_kubelet_that_says_it_is_not_ready_may_be_left_alone(cluster: Cluster) -> None:
    cluster.nodes.nodes["compute1"].ready = "False"
    assert cluster.poll(kubernetes_not_ready_is_down="false")["compute1"] is UNKNOWN


def test_all_pages_are_read(cluster: Cluster) -> None:
    assert len(cluster.poll(kubernetes_page_size=1)) == 3


def test_a_list_that_expired_while_it_was_read_is_begun_again(cluster: Cluster) -> None:
    cluster.nodes.answers = "expired"
    assert len(cluster.poll(kubernetes_page_size=2)) == 3


def test_only_nodes_with_the_labels_are_hosts(cluster: Cluster) -> None:
    cluster.nodes.nodes["control"] = kubernetes.Node()
    assert set(cluster.poll(kubernetes_node_labels="role=compute")) == {"compute1", "compute2", "compute3"}


def test_a_node_that_was_deleted_is_down(cluster: Cluster) -> None:
    del cluster.nodes.nodes["compute1"]
    assert cluster.poll("compute1", "compute2")["compute1"] is DOWN
    assert cluster.poll("compute1", kubernetes_node_labels="role=compute")["compute1"] is DOWN


def test_a_node_that_was_never_listed_is_not_missed(cluster: Cluster) -> None:
    del cluster.nodes.nodes["compute1"]
    assert "compute1" not in cluster.poll("compute2")


def test_a_node_that_has_lost_its_label_is_not_deleted(cluster: Cluster) -> None:
    cluster.nodes.nodes["compute1"].labels = {}
    with capture_logs() as logged:
        assert "compute1" not in cluster.poll("compute1", kubernetes_node_labels="role=compute")
    assert [(line["event"], line["hosts"]) for line in logged] == [("nodes without the labels", ["compute1"])]


def test_a_cordoned_node_that_goes_down_is_somebodys_work(cluster: Cluster) -> None:
    cluster.nodes.nodes["compute1"] = kubernetes.Node(ready="Unknown", cordoned=True)
    assert cluster.poll()["compute1"] is UNKNOWN


def test_an_empty_list_is_no_answer(cluster: Cluster) -> None:
    with pytest.raises(SourceUnavailable, match="role=none"):
        cluster.poll(kubernetes_node_labels="role=none")


def test_a_rejected_token_is_no_answer_and_is_not_reported(cluster: Cluster) -> None:
    cluster.write("s3cret")
    with pytest.raises(SourceUnavailable, match="401") as raised:
        cluster.poll()
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(("answers", "words"), [("error", "500"), ("garbage", "not a list")])
def test_troubles_of_the_server_are_no_answer(cluster: Cluster, answers: str, words: str) -> None:
    cluster.nodes.answers = answers
    with pytest.raises(SourceUnavailable, match=words):
        cluster.poll()


def test_a_server_that_is_not_there_is_no_answer(cluster: Cluster) -> None:
    cluster.file.write_text(yaml.safe_dump(kubeconfig_for("http://127.0.0.1:1")))
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        cluster.poll()


@pytest.mark.parametrize("text", ["clusters: []", "{", "", "[]", "clusters: 7"])
def test_a_kubeconfig_that_is_none_is_no_answer(cluster: Cluster, text: str) -> None:
    cluster.file.write_text(text)
    with pytest.raises(SourceUnavailable):
        cluster.poll()


def test_a_host_may_have_another_name_than_its_node(cluster: Cluster) -> None:
    cluster.nodes.nodes = {"node-7.rack": kubernetes.Node(annotations={"nova/host": "compute7"})}
    assert cluster.poll(kubernetes_host_name="{annotation:nova/host}") == {"compute7": UP}
    assert cluster.poll(kubernetes_host_name="{short}.example.org") == {"node-7.example.org": UP}


def test_nodes_without_a_name_of_a_host_are_none_and_make_a_missing_one_unclear(cluster: Cluster) -> None:
    cluster.nodes.nodes["compute1"].labels = {"host": "compute1"}
    assert cluster.poll("compute2", kubernetes_host_name="{label:host}") == {"compute1": UP, "compute2": UNKNOWN}


def test_two_nodes_of_the_same_host_are_no_answer(cluster: Cluster) -> None:
    cluster.nodes.nodes = {"compute1.a": kubernetes.Node(), "compute1.b": kubernetes.Node(ready="Unknown")}
    with pytest.raises(SourceUnavailable, match=r"several nodes .* compute1"):
        cluster.poll(kubernetes_host_name="{short}")


def test_a_name_is_made_of_several_parts() -> None:
    about = {"name": "a.b", "labels": {"zone": "z"}, "annotations": None}
    assert host_name("{short}-{label:zone}", about) == "a-z"
    assert host_name("{short}-{annotation:zone}", about) is None


@pytest.mark.parametrize("template", ["compute", "{node}", "{name", "{name}{}", "{label:}"])
def test_a_template_that_is_none_stops_the_start(template: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="INSTANCE_HA_KUBERNETES_HOST_NAME"):
        check(settings(kubernetes_host_name=template, kubernetes_config_file=tmp_path), {})


def test_outside_a_pod_a_kubeconfig_is_needed(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="not a pod"):
        check(settings(), {})
    with pytest.raises(Misconfigured, match="not there"):
        check(settings(kubernetes_config_file=tmp_path / "no"), {})
    check(settings(), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})


def test_what_the_simulated_server_answers_is_what_the_clients_own_models_demand(cluster: Cluster) -> None:
    cluster.nodes.nodes["compute1"] = kubernetes.Node(ready="Unknown", cordoned=True)
    made = client.Configuration()
    config.load_kube_config(str(cluster.file), client_configuration=made)
    listed = client.CoreV1Api(client.ApiClient(made)).list_node(limit=2)
    assert listed.metadata._continue
    first = listed.items[0]
    assert (first.metadata.name, first.spec.unschedulable) == ("compute1", True)
    assert {taint.key for taint in first.spec.taints} == {
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/unschedulable",
    }
    assert {condition.status for condition in first.status.conditions} == {"Unknown"}


def test_in_a_pod_its_service_account_is_used(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("good")
    (tmp_path / "ca.crt").write_text("any")
    port = cluster.server.url.rsplit(":", 1)[1]
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": port}
    with pytest.raises(SourceUnavailable, match="cannot be reached"):  # it is found, and it speaks no TLS
        KubernetesSource(settings(), environ, tmp_path).poll(frozenset())


@pytest.mark.parametrize("head", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
def test_an_api_server_that_answers_a_byte_at_a_time_does_not_answer(cluster: Cluster, head: bytes) -> None:
    with receiver(drip(head)) as url:
        cluster.file.write_text(yaml.safe_dump(kubeconfig_for(url, "good")))
        with pytest.raises(SourceUnavailable, match="did not answer in time"):
            cluster.poll(kubernetes_timeout=0.3)
