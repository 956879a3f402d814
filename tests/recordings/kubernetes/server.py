"""A real kube-apiserver over a real etcd, on loopback, in a folder."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client

TOKENS = {"admin": "admin,admin,1,system:masters", "reader": "reader,reader,2", "nobody": "nobody,nobody,3"}
_PATIENCE = 120


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


RULES = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]  # all that `reader` may do


class ApiServer:
    """The two processes; reader may list nodes, nobody has no rights, and admin has all."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs.resolve(), folder
        self._store = f"http://127.0.0.1:{_free_port()}"
        self._port = _free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        self.certificate = folder / "certificates/apiserver.crt"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start both, wait for them, and let the reader read."""
        self._start_store()
        self._start_server()
        until = time.monotonic() + _PATIENCE
        while not self._ready():
            if time.monotonic() > until:
                raise TimeoutError(f"no API server: see {self._folder}")
            time.sleep(0.5)
        rbac = client.RbacAuthorizationV1Api(self.client("admin"))
        rbac.create_cluster_role({"metadata": {"name": "node-reader"}, "rules": RULES})
        rbac.create_cluster_role_binding(
            {
                "metadata": {"name": "node-reader"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "node-reader"},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}],
            }
        )

    def stop(self) -> None:
        """End both."""
        for process in reversed(self._processes):
            process.terminate()
            process.wait(30)

    def client(self, token: str) -> client.ApiClient:
        """Return a client of somebody."""
        made = client.Configuration(host=self.url, api_key={"authorization": f"Bearer {token}"})
        made.ssl_ca_cert = str(self.certificate)
        return client.ApiClient(made)

    def forget_before(self, revision: int) -> None:
        """Let the store forget what was before a revision, as it does by itself after five minutes."""
        answer = urllib3.request("POST", f"{self._store}/v3/kv/compaction", json={"revision": str(revision)})
        assert answer.status == 200, answer.data

    def _ready(self) -> bool:
        if self._processes[-1].poll() is not None:
            raise ChildProcessError(f"the API server ended: see {self._folder}")
        try:
            pool = urllib3.PoolManager(ca_certs=str(self.certificate), retries=False)
            asked = {"Authorization": "Bearer admin"}
            return pool.request("GET", f"{self.url}/readyz", headers=asked).status == 200
        except (urllib3.exceptions.HTTPError, OSError):
            return False

    def _start_store(self) -> None:
        peer = f"http://127.0.0.1:{_free_port()}"
        addresses = {
            "listen-client-urls": self._store,
            "advertise-client-urls": self._store,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "data-dir": self._folder / "etcd",
        }
        self._run("etcd", addresses)

    def _start_server(self) -> None:
        key, tokens = self._folder / "accounts.key", self._folder / "tokens.csv"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens.write_text("".join(f"{line}\n" for line in TOKENS.values()))
        options = {
            "etcd-servers": self._store,
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": self._port,
            "cert-dir": self.certificate.parent,
            "token-auth-file": tokens,
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": key,
            "service-account-signing-key-file": key,
            "service-cluster-ip-range": "10.96.0.0/16",
            "endpoint-reconciler-type": "none",
        }
        self._run("kube-apiserver", options)

    def _run(self, program: str, options: dict[str, Any]) -> None:
        log = (self._folder / f"{program}.log").open("wb")
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self._processes.append(
            subprocess.Popen([self._programs / program, *arguments], cwd=self._folder, stdout=log, stderr=log)
        )
