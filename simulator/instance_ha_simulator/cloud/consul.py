"""Simulated Consul agents, one for each network: who is alive there, and what goes wrong with the answers."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, jsonify, request

ALIVE, LEFT, FAILED = 1, 3, 4
_LEADER = "127.0.0.1:8300"


@dataclass
class Agent:
    """The agent of one cluster."""

    members: dict[str, int] = field(default_factory=dict)
    token: str | None = None  # with one, another is refused, and without any nobody is seen
    answers: str = "well"  # or: empty, refused, error, no-leader, garbage, slow
    seconds: float = 0.0  # that a slow one takes
    seen: list[dict[str, str]] = field(default_factory=list)  # of each request: path, query and token


class Clusters:
    """The agents of some networks; a host that is cut off is failed in all of them."""

    def __init__(self, networks: Iterable[str]) -> None:
        self.agents = {network: Agent() for network in networks}

    def add_host(self, name: str) -> None:
        """Let a host's agents join every cluster."""
        self.set(name, ALIVE)

    def set(self, name: str, status: int, networks: Iterable[str] | None = None) -> None:
        """Say how the gossip sees a host."""
        for network in networks or self.agents:
            self.agents[network].members[name] = status


def create_app(agent: Agent) -> Flask:
    """Return an agent's HTTP API."""
    app = Flask("consul")

    @app.before_request
    def answer() -> Response | tuple[str, int] | None:
        token = request.headers.get("X-Consul-Token")
        query = request.query_string.decode()
        agent.seen.append({"path": request.path, "query": query, "token": token or ""})
        if agent.answers == "slow":
            time.sleep(agent.seconds)
        if agent.answers == "error":
            return "No known Consul servers", 500
        if agent.answers == "garbage":
            return Response("<html>", content_type="text/html")
        wrong = agent.token is not None and token is not None and token != agent.token
        return ("ACL not found", 403) if agent.answers == "refused" or wrong else None

    @app.get("/v1/status/leader")
    def leader() -> Response:
        return jsonify("" if agent.answers == "no-leader" else _LEADER)

    @app.get("/v1/agent/members")
    def members() -> Response:
        silent = agent.answers == "empty" or (agent.token is not None and not request.headers.get("X-Consul-Token"))
        return jsonify([] if silent else [_member(name, status) for name, status in sorted(agent.members.items())])

    return app


def _member(name: str, status: int) -> dict[str, Any]:
    return {"Name": name, "Addr": "127.0.0.1", "Port": 8301, "Tags": {"role": "node"}, "Status": status}
