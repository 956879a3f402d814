"""What the monitors poll in a scenario: Consul agents and an API server on loopback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import yaml
from requests import PreparedRequest, Response

from instance_ha_simulator.cloud import consul, kubernetes
from instance_ha_simulator.cloud.adapter import WsgiAdapter
from instance_ha_simulator.cloud.server import LoopbackServer
from instance_ha_simulator.guests import Guests

_STATUS = {"up": consul.ALIVE, "down": consul.FAILED, "left": consul.LEFT}


class Sources:
    """The sources of a scenario. Their answers take no virtual time."""

    def __init__(self, world: dict[str, Any], folder: Path) -> None:
        self.clusters = consul.Clusters(world.get("consul", []))
        self.nodes = kubernetes.Nodes()
        self.guests = Guests()
        self.settings: dict[str, str] = {}
        self.functions: list[str] = []
        self._servers: list[LoopbackServer] = []
        self._hosts = list(world["hosts"])
        for host in self._hosts:
            self.clusters.add_host(host)
            self.nodes.add_host(host)
        self._start_consul()
        if "kubernetes" in world:
            self._start_kubernetes(folder)
        if "guests" in world:
            self.settings["guest_monitoring"] = "true"
            self.functions.append("monitor-guests")

    def _start_consul(self) -> None:
        for network, agent in self.clusters.agents.items():
            agent.token = self.settings[f"consul_token_{network}"] = f"token-of-{network}"
            self.settings[f"consul_agent_{network}"] = self._serve(consul.create_app(agent))
            self.settings["monitoring_driver"] = "consul"
        if self.clusters.agents:
            self.functions.append("monitor-poll")

    def _start_kubernetes(self, folder: Path) -> None:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(kubeconfig_for(self._serve(kubernetes.create_app(self.nodes)))))
        self.settings |= {"monitoring_driver": "kubernetes", "kubernetes_config_file": str(kubeconfig)}
        self.functions.append("monitor-poll")

    def _serve(self, app: flask.Flask) -> str:
        server = LoopbackServer(app, 0, 4)
        server.start()
        self._servers.append(server)
        return server.url

    def close(self) -> None:
        """Stop the servers."""
        for server in self._servers:
            server.stop()

    def happen(self, what: str, about: Any) -> bool:
        """Let something happen that a scenario names; false for what is not ours."""
        if what in {"kill_host", "start_host"}:
            dead = what == "kill_host"
            (self.guests.unreachable.add if dead else self.guests.unreachable.discard)(about)
            self.clusters.set(about, consul.FAILED if dead else consul.ALIVE)
            if about in self.nodes.nodes:
                self.nodes.nodes[about].ready = "Unknown" if dead else "True"
            return False
        acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "link": self._link,
            "consul": self._consul,
            "node": self._node,
            "guest": self.guests.happen,
        }
        if what in acts:
            acts[what](dict(about))
        return what in acts

    def _link(self, about: dict[str, Any]) -> None:
        hosts = self._hosts if about["host"] == "all" else [about["host"]]
        for host in hosts:
            self.clusters.set(host, _STATUS[about["is"]], about.get("networks"))

    def _consul(self, about: dict[str, Any]) -> None:
        agent = self.clusters.agents[about["network"]]
        agent.answers = about.get("answers", agent.answers)
        agent.token = about.get("token", agent.token)

    def _node(self, about: dict[str, Any]) -> None:
        name = about.pop("name")
        if about.pop("deleted", False):
            del self.nodes.nodes[name]
        for key, value in about.items():
            setattr(self.nodes.nodes[name], key, value)


def kubeconfig_for(url: str, token: str = "any") -> dict[str, Any]:
    """A kubeconfig for an API server."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }


class ReportsAdapter(WsgiAdapter):
    """The way of reports to the API's function; some are refused, some answers are lost."""

    def __init__(self, call: Callable[..., Any], faults: list[dict[str, Any]]) -> None:
        super().__init__(_api(call))
        self._faults = faults
        self._sent = 0

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        """Answer, as the faults say."""
        self._sent += 1
        fault = next((f for f in self._faults if self._sent in range(f["nth"], f.get("to", f["nth"]) + 1)), {})
        if "answer" not in fault:
            return super().send(request, **options)
        if fault.get("after"):  # it is taken, and its answer gets lost
            super().send(request, **options)
        response = Response()
        response.status_code, response.request, response.url = fault["answer"], request, request.url or ""
        response._content = b"refused by the scenario"
        return response


def _api(call: Callable[..., Any]) -> flask.Flask:
    app = flask.Flask("reports")

    @app.post("/notifications")
    def create() -> Any:
        headers = dict(flask.request.headers)
        return call("api-notifications", "/v1/notifications", flask.request.get_data(), headers)

    return app
