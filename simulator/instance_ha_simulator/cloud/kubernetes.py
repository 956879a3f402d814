"""A simulated Kubernetes API server: the list of nodes, page by page, and what goes wrong with it."""

import base64
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from flask import Flask, Response, jsonify, request

_TIME = "2026-11-22T03:00:00Z"
_CONDITIONS = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
_TAINTS = {"Unknown": ("node.kubernetes.io/unreachable",), "False": ("node.kubernetes.io/not-ready",)}
_CAPACITY = {"cpu": "8", "memory": "32Gi", "pods": "110"}
_INFO = (
    "machineID",
    "systemUUID",
    "bootID",
    "kernelVersion",
    "osImage",
    "containerRuntimeVersion",
    "kubeletVersion",
    "kubeProxyVersion",
    "operatingSystem",
    "architecture",
)


@dataclass
class Node:
    """A node, with its condition Ready."""

    ready: str = "True"
    cordoned: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass
class Nodes:
    """All nodes by their names."""

    nodes: dict[str, Node] = field(default_factory=dict)
    token: str | None = None
    answers: str = "well"  # or: error, garbage, expired (a list that must be begun again, once)

    def add_host(self, name: str) -> None:
        """Let a node join."""
        self.nodes[name] = Node()


def create_app(cluster: Nodes) -> Flask:
    """Return the API."""
    app = Flask("kubernetes")

    @app.get("/api/v1/nodes")
    def index() -> Response | tuple[Response, int]:
        if cluster.token is not None and request.headers.get("Authorization") != f"Bearer {cluster.token}":
            return _status(401, "Unauthorized")
        if cluster.answers == "error":
            return _status(500, "InternalError")
        if cluster.answers == "garbage":
            return jsonify(kind="Table")
        begin = int(base64.b64decode(request.args.get("continue", "")) or 0)
        if begin and cluster.answers == "expired":
            cluster.answers = "well"
            return _status(410, "Expired", {"continue": base64.b64encode(str(begin).encode()).decode()})
        found = [(name, node) for name, node in sorted(cluster.nodes.items()) if _selected(node)]
        limit = int(request.args.get("limit", 0)) or len(found) or 1
        following = base64.b64encode(str(begin + limit).encode()).decode() if begin + limit < len(found) else ""
        items = [_node(name, node) for name, node in found[begin : begin + limit]]
        metadata: dict[str, Any] = {"resourceVersion": "1"}
        if following:
            metadata["continue"] = following
            if not request.args.get("labelSelector"):
                metadata["remainingItemCount"] = len(found) - begin - limit
        return jsonify(kind="NodeList", apiVersion="v1", metadata=metadata, items=items)

    return app


def _selected(node: Node) -> bool:
    wanted = [term.partition("=") for term in request.args.get("labelSelector", "").split(",") if term]
    return all(node.labels.get(key) == value for key, _, value in wanted)


def _node(name: str, node: Node) -> dict[str, Any]:
    taints = [{"key": key, "effect": "NoExecute", "timeAdded": _TIME} for key in _TAINTS.get(node.ready, ())]
    if node.cordoned:
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": _TIME})
    spec: dict[str, Any] = {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"]}
    spec |= {"unschedulable": True} if node.cordoned else {}
    spec |= {"taints": taints} if taints else {}
    return {
        "metadata": {
            "name": name,
            "uid": str(uuid5(NAMESPACE_DNS, name)),
            "resourceVersion": "1",
            "creationTimestamp": _TIME,
            "labels": {"kubernetes.io/hostname": name, **node.labels},
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true", **node.annotations},
        },
        "spec": spec,
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": name}],
            "capacity": _CAPACITY,
            "allocatable": _CAPACITY,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "conditions": [_condition(kind, node.ready) for kind in _CONDITIONS],
            "nodeInfo": dict.fromkeys(_INFO, "any"),
        },
    }


def _condition(kind: str, ready: str) -> dict[str, Any]:
    """Return a condition; when the kubelet is silent the control plane calls every one of them Unknown."""
    status = ready if ready == "Unknown" or kind == "Ready" else "False"
    reason = {"Unknown": "NodeStatusUnknown", "False": "KubeletNotReady", "True": "KubeletReady"}.get(ready, "Other")
    condition = {"type": kind, "status": status, "lastHeartbeatTime": _TIME, "lastTransitionTime": _TIME}
    reason = reason if kind == "Ready" or ready == "Unknown" else f"KubeletHasNo{kind}"
    return condition | {"reason": reason, "message": reason}


def _status(code: int, reason: str, metadata: dict[str, str] | None = None) -> tuple[Response, int]:
    said = {"status": "Failure", "message": reason, "reason": reason, "code": code}
    return jsonify(kind="Status", apiVersion="v1", metadata=metadata or {}, **said), code
