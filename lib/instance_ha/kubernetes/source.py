"""What the Kubernetes control plane says of the hosts."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instance_ha import log
from instance_ha.kubernetes.client import SERVICE_ACCOUNT, Nodes
from instance_ha.kubernetes.names import host_name
from instance_ha.models.errors import SourceUnavailable
from instance_ha.models.health import NODE, Observation, Reading, Snapshot, Strategy
from instance_ha.settings import Settings


class KubernetesSource:
    """Reads the condition Ready of every node.

    A node that was deleted is down, unless it was out of service before: nothing will report for it again. A node that
    is cordoned is being worked on by an operator: it is never down.
    """

    strategy = Strategy((NODE,), frozenset({(Reading.DOWN,)}))

    def __init__(self, settings: Settings, environ: Mapping[str, str], account: Path = SERVICE_ACCOUNT) -> None:
        """Ask the API server of a kubeconfig, or that of the pod that the environment and its account tell of."""
        self._settings = settings
        self._nodes = Nodes(settings, environ, account)
        self._not_ready = Reading.DOWN if settings.kubernetes_not_ready_is_down else Reading.UNKNOWN

    def poll(self, listed: frozenset[str]) -> Snapshot:
        """List the nodes.

        Raises:
            SourceUnavailable: the list is not available, or is empty.

        """
        selector = self._settings.kubernetes_node_labels
        nodes = self._nodes.all(selector)
        if not nodes:
            raise SourceUnavailable(f"Kubernetes lists no node at all with the labels {selector or '(any)'}")
        named = self._named(nodes)
        hosts = {name: self._observation(node) for name, node in named.items() if name is not None}
        missing = listed - set(hosts)
        if missing:
            unclear = None in named
            others = self._named(self._nodes.all("")) if selector else named
            for name in (gone := missing - set(others)):
                hosts[name] = Observation({NODE: Reading.UNKNOWN if unclear else Reading.DOWN})
            if gone:
                log.get().warning("nodes missing", hosts=sorted(gone), deleted=not unclear)
            if unlabelled := missing - gone:
                log.get().warning("nodes without the labels", hosts=sorted(unlabelled), labels=selector)
        return Snapshot(hosts)

    def _named(self, nodes: list[dict[str, Any]]) -> dict[str | None, dict[str, Any]]:
        """Return the nodes by their hosts' names; None for one without a name."""
        names = [host_name(self._settings.kubernetes_host_name, node["metadata"]) for node in nodes]
        counted = Counter(name for name in names if name is not None)
        if twice := sorted(name for name, count in counted.items() if count > 1):
            raise SourceUnavailable(f"several nodes have the compute host name {twice[0]}: see kubernetes_host_name")
        return dict(zip(names, nodes, strict=True))

    def _observation(self, node: dict[str, Any]) -> Observation:
        conditions = (node.get("status") or {}).get("conditions") or []
        status = next((c.get("status") for c in conditions if c.get("type") == "Ready"), None)
        # The control plane writes Unknown when the kubelet has been silent; no condition: the node has not joined yet.
        readings = {"True": Reading.UP, "False": self._not_ready, "Unknown": Reading.DOWN}
        reading = readings.get(status or "", Reading.UNKNOWN)
        cordoned = bool((node.get("spec") or {}).get("unschedulable"))
        if cordoned and reading is not Reading.UP:
            reading = Reading.UNKNOWN
        return Observation({NODE: reading}, administratively_down=cordoned)
