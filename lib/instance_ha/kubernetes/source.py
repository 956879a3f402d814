"""What the Kubernetes control plane says of the hosts."""

from collections import Counter
from typing import Any

from instance_ha import log
from instance_ha.kubernetes.client import Nodes
from instance_ha.kubernetes.names import host_name
from instance_ha.models.errors import SightUnavailable
from instance_ha.models.health import Sight, Sighting, Strategy, View
from instance_ha.settings import Settings

_NETWORK = "node"


class KubernetesSource:
    """Reads the condition Ready of every node.

    A node that is gone is down, unless it was out of service before: somebody, or the provider of the machine, has
    deleted it, and nothing will report for it again. A node that is cordoned is somebody's work: what it says is not
    held against the host.
    """

    strategy = Strategy((_NETWORK,), frozenset({(Sight.DOWN,)}))

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._nodes = Nodes(settings)
        self._not_ready = Sight.DOWN if settings.kubernetes_not_ready_is_down else Sight.UNKNOWN

    def look(self, listed: frozenset[str]) -> View:
        """List the nodes.

        Raises:
            SightUnavailable: the list cannot be had, or is empty.

        """
        selector = self._settings.kubernetes_node_labels
        nodes = self._nodes.all(selector)
        if not nodes:
            raise SightUnavailable(f"Kubernetes lists no node at all with the labels {selector or '(any)'}")
        named = self._named(nodes)
        hosts = {name: self._sighting(node) for name, node in named.items() if name is not None}
        missing = listed - set(hosts)
        if missing:
            unclear = None in named
            others = self._named(self._nodes.all("")) if selector else named
            for name in missing - set(others):
                hosts[name] = _sighting(Sight.UNKNOWN if unclear else Sight.DOWN, on_purpose=False)
            log.get().warning("nodes are not listed any more", hosts=sorted(missing), deleted=not unclear)
        return View(hosts)

    def _named(self, nodes: list[dict[str, Any]]) -> dict[str | None, dict[str, Any]]:
        """Return the nodes by their hosts' names; None for one without a name."""
        names = [host_name(self._settings.kubernetes_host_name, node["metadata"]) for node in nodes]
        counted = Counter(name for name in names if name is not None)
        if twice := sorted(name for name, count in counted.items() if count > 1):
            raise SightUnavailable(f"several nodes have the compute host name {twice[0]}: see kubernetes_host_name")
        return dict(zip(names, nodes, strict=True))

    def _sighting(self, node: dict[str, Any]) -> Sighting:
        sight = self._ready(node)
        cordoned = bool((node.get("spec") or {}).get("unschedulable"))
        if cordoned and sight is not Sight.UP:
            sight = Sight.UNKNOWN
        return _sighting(sight, on_purpose=cordoned)

    def _ready(self, node: dict[str, Any]) -> Sight:
        conditions = (node.get("status") or {}).get("conditions") or []
        status = next((c.get("status") for c in conditions if c.get("type") == "Ready"), None)
        # Unknown is what the control plane writes when the kubelet has been silent; no condition: not joined yet.
        return {"True": Sight.UP, "False": self._not_ready, "Unknown": Sight.DOWN}.get(status or "", Sight.UNKNOWN)


def _sighting(sight: Sight, *, on_purpose: bool) -> Sighting:
    return Sighting({_NETWORK: sight}, on_purpose)
