"""Record what a real kube-apiserver answers to our driver: `python -m tests.recordings.kubernetes.record FOLDER`.

The folder is that of build.sh. The driver asks through a recorder in front of the API server. No kubelet and no
controller runs: this script writes the status, taints and cordons that they would.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from instance_ha.kubernetes.source import KubernetesSource
from instance_ha.models.errors import SourceUnavailable
from instance_ha.settings import load
from instance_ha_simulator.monitors import kubeconfig_for
from kubernetes import client

from tests.recordings.kubernetes.nodes import Nodes
from tests.recordings.kubernetes.server import ApiServer
from tests.recordings.recorder import Recorder

ANSWERS = Path(__file__).parent / "answers"


class Cases:
    """Every case: a cluster is made, and looked at."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._api = client.CoreV1Api(server.client("admin"))
        self._nodes = Nodes(self._api)
        self._made_by = client.VersionApi(server.client("admin")).get_code()
        self._between: Callable[[], None] = lambda: None

    def all(self) -> None:
        """Record all of them."""
        self._conditions()
        self._lists()
        self._refusals()
        self._expired()

    def _conditions(self) -> None:
        self._nodes.begin("compute1", "compute2", "compute3", "compute4", "compute5")
        self._nodes.report("compute1", "True")
        self._nodes.report("compute2", "False")
        self._nodes.report("compute3", "Unknown")
        self._nodes.report("compute4", "Unknown")
        self._nodes.cordon("compute4")  # compute5 has only just joined: nothing is reported of it
        self._record("conditions")
        self._directly()

    def _lists(self) -> None:
        names = [f"compute{number}" for number in range(1, 6)]
        self._nodes.begin(*names)
        for name in names:
            self._nodes.report(name, "True")
        self._record("pages", kubernetes_page_size=2)
        self._record("no-such-label", kubernetes_node_labels="role=none")
        self._nodes.begin("compute1", "compute2", "control")
        for name in ("compute1", "compute2"):
            self._nodes.label(name, "role", "compute")
            self._nodes.report(name, "True")
        self._record("labels", kubernetes_node_labels="role=compute")
        self._nodes.label("compute1", "role", None)
        self._record("label-lost", kubernetes_node_labels="role=compute")
        self._api.delete_node("compute1")
        self._record("deleted", kubernetes_node_labels="role=compute")

    def _refusals(self) -> None:
        self._record("wrong-token", token="wrong")
        self._record("token-without-rights", token="nobody")
        self._record("selector-that-is-none", kubernetes_node_labels="role in (")

    def _expired(self) -> None:
        self._nodes.begin("compute1", "compute2", "compute3")
        for name in ("compute1", "compute2", "compute3"):
            self._nodes.report(name, "True")

        def forget() -> None:
            self._between = lambda: None
            self._nodes.report("compute3", "False")
            self._server.forget_before(int(self._api.list_node().metadata.resource_version))

        self._between = forget
        self._record("expired", kubernetes_page_size=2)

    def _record(self, case: str, token: str = "reader", **values: Any) -> None:
        with self._recorder() as recorder:
            try:
                print(case, self._look(recorder.url, {}, token, values))
            except SourceUnavailable as error:
                print(case, "-", error)
        recorder.write(ANSWERS / f"{case}.json", f"kube-apiserver {self._made_by.git_version}")

    def _directly(self) -> None:
        print(
            "the same, over TLS", self._look(self._server.url, {"certificate": self._server.certificate}, "reader", {})
        )

    @contextmanager
    def _recorder(self) -> Iterator[Recorder]:
        recorder = Recorder(self._server.url, self._server.certificate, lambda: self._between())
        try:
            yield recorder
        finally:
            recorder.stop()

    def _look(self, url: str, trust: dict[str, Path], token: str, values: dict[str, Any]) -> dict[str, str]:
        given = kubeconfig_for(url, token)
        if trust:
            given["clusters"][0]["cluster"]["certificate-authority"] = str(trust["certificate"])
        file = self._folder / "kubeconfig"
        file.write_text(yaml.safe_dump(given))
        named = {f"INSTANCE_HA_{name.upper()}": str(value) for name, value in values.items()}
        settings = load(
            {"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_KUBERNETES_CONFIG_FILE": str(file), **named}
        )
        seen = KubernetesSource(settings, {}).poll(frozenset({"compute1"}))
        return {name: observation.vector["node"].name for name, observation in seen.hosts.items()}


def main() -> None:
    """Record all cases anew."""
    programs, folder = Path(sys.argv[1]) / "bin", Path(tempfile.mkdtemp(prefix="kubernetes-"))
    server = ApiServer(programs, folder)
    try:
        server.start()
        Cases(server, folder).all()
    finally:
        server.stop()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
