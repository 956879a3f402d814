"""Hosts as network namespaces, joined by three networks, with a Consul agent on each network of each host."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NETWORKS = ("manage", "tenant", "storage")
CONTROL = "control"
HOSTS = ("compute1", "compute2", "compute3")
MASTER = "11111111-2222-3333-4444-555555555555"  # the bootstrap token of the cluster with ACLs
_PREFIX = "ha-"
_DOOR = "10.77.9"  # from here to the control host, where the agents are asked


def run(*command: str) -> str:
    """Run a command to its end."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def inside(host: str, *command: str) -> tuple[str, ...]:
    """Return a command that runs on a host."""
    return ("ip", "netns", "exec", f"{_PREFIX}{host}", *command)


@contextmanager
def networks() -> Iterator[None]:
    """Make the hosts, the networks, and a door from here to the control host."""
    names = [_PREFIX + name for name in ("switch", CONTROL, *HOSTS)]
    _clear(names)
    try:
        for name in names:
            run("ip", "netns", "add", name)
        for number, network in enumerate(NETWORKS, 1):
            run(*inside("switch", "ip", "link", "add", network, "type", "bridge"))
            run(*inside("switch", "ip", "link", "set", network, "up"))
            for position, host in enumerate((CONTROL, *HOSTS), 1):
                _plug(host, network, f"10.77.{number}.{position}/24", f"{network[:1]}{position}")
        run("ip", "link", "add", "ha-door", "type", "veth", "peer", "name", "door", "netns", _PREFIX + CONTROL)
        run("ip", "address", "add", f"{_DOOR}.1/30", "dev", "ha-door")
        run("ip", "link", "set", "ha-door", "up")
        run(*inside(CONTROL, "ip", "address", "add", f"{_DOOR}.2/30", "dev", "door"))
        run(*inside(CONTROL, "ip", "link", "set", "door", "up"))
        yield
    finally:
        _clear(names)


def _clear(names: list[str]) -> None:
    """Take everything away, also what a killed run has left."""
    subprocess.run(["ip", "link", "delete", "ha-door"], capture_output=True)
    for name in names:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def _plug(host: str, network: str, address: str, plug: str) -> None:
    switch = _PREFIX + "switch"
    run(*inside(host, "ip", "link", "add", network, "type", "veth", "peer", "name", plug, "netns", switch))
    run(*inside(host, "ip", "address", "add", address, "dev", network))
    run(*inside(host, "ip", "link", "set", network, "up"))
    run(*inside(host, "ip", "link", "set", "lo", "up"))
    run(*inside("switch", "ip", "link", "set", plug, "master", network, "up"))


def link(host: str, network: str, state: str) -> None:
    """Cut a host's link to a network (`down`), or heal it (`up`).

    At the switch: Consul suspects nobody while its own host has no route.
    """
    plug = f"{network[:1]}{(CONTROL, *HOSTS).index(host) + 1}"
    run(*inside("switch", "ip", "link", "set", plug, state))


@dataclass
class Clusters:
    """The agents: a server on the control host and a client on every other, for each network."""

    consul: Path
    folder: Path
    processes: list[subprocess.Popen[bytes]]

    def start(self) -> None:
        """Start all agents."""
        run("sh", "-c", f"cd {self.folder} && {self.consul} tls ca create")
        names = f"-additional-ipaddress={_DOOR}.2"
        run("sh", "-c", f"cd {self.folder} && {self.consul} tls cert create -server -dc dc1 {names}")
        for number, network in enumerate(NETWORKS, 1):
            for position, host in enumerate((CONTROL, *HOSTS), 1):
                self._agent(host, network, f"10.77.{number}.{position}", f"10.77.{number}.1")

    def url(self, network: str) -> str:
        """Return where the control host's agent of a network is asked."""
        number = NETWORKS.index(network)
        return f"https://{_DOOR}.2:8543" if network == "manage" else f"http://{_DOOR}.2:{8500 + number}"

    @property
    def ca(self) -> Path:
        """The CA of the cluster with TLS."""
        return self.folder / "consul-agent-ca.pem"

    def leave(self, host: str, network: str) -> None:
        """Stop an agent in order."""
        run(*inside(host, str(self.consul), "leave", f"-http-addr=127.0.0.1:{8600 + NETWORKS.index(network)}"))

    def _agent(self, host: str, network: str, address: str, server: str) -> None:
        number, control = NETWORKS.index(network), host == CONTROL
        gossip = {"probe_interval": "500ms", "probe_timeout": "300ms", "suspicion_mult": 2}
        ports = {"dns": -1, "grpc": -1, "serf_wan": -1, "http": (8500 if control else 8600) + number}
        config: dict[str, object] = {
            "node_name": host,
            "data_dir": str(self.folder / f"{host}-{network}"),
            "bind_addr": address,
            "client_addr": f"{_DOOR}.2" if control else "127.0.0.1",
            "log_level": "warn",
            "disable_update_check": True,
            "gossip_lan": gossip,
            "ports": ports,
        }
        config |= {"server": True, "bootstrap_expect": 1} if control else {"retry_join": [server]}
        if network == "manage" and control:
            ports["https"] = 8543
            config |= {"cert_file": str(self.folder / "dc1-server-consul-0.pem"), "ca_file": str(self.ca)}
            config |= {"key_file": str(self.folder / "dc1-server-consul-0-key.pem")}
        if network == "storage":
            tokens = {"master": MASTER, "agent": MASTER} if control else {"agent": MASTER}
            config["acl"] = {"enabled": True, "default_policy": "deny", "tokens": tokens}
        file = self.folder / f"{host}-{network}.json"
        file.write_text(json.dumps(config))
        output = (self.folder / f"{host}-{network}.log").open("wb")
        command = inside(host, str(self.consul), "agent", f"-config-file={file}")
        self.processes.append(subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL))
