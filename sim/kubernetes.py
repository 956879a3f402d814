"""A simulated Kubernetes API server: the list of nodes, page by page, and what goes wrong with it."""

import base64
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, jsonify, request

_TIME = "2026-11-22T03:00:00Z"


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
            return _status(410, "Expired")
        found = [(name, node) for name, node in sorted(cluster.nodes.items()) if _selected(node)]
        limit = int(request.args.get("limit", 0)) or len(found) or 1
        following = base64.b64encode(str(begin + limit).encode()).decode() if begin + limit < len(found) else ""
        items = [_node(name, node) for name, node in found[begin : begin + limit]]
        return jsonify(
            kind="NodeList",
            apiVersion="v1",
            metadata={"resourceVersion": "1", **({"continue": following} if following else {})},
            items=items,
        )

    return app


def _selected(node: Node) -> bool:
    wanted = [term.partition("=") for term in request.args.get("labelSelector", "").split(",") if term]
    return all(node.labels.get(key) == value for key, _, value in wanted)


def _node(name: str, node: Node) -> dict[str, Any]:
    ready = {"type": "Ready", "status": node.ready, "lastHeartbeatTime": _TIME, "lastTransitionTime": _TIME}
    return {
        "metadata": {"name": name, "labels": node.labels, "annotations": node.annotations},
        "spec": {"unschedulable": True} if node.cordoned else {},
        "status": {"conditions": [{"type": "MemoryPressure", "status": "False"}, ready]},
    }


def _status(code: int, reason: str) -> tuple[Response, int]:
    return jsonify(kind="Status", apiVersion="v1", status="Failure", reason=reason, code=code), code
