"""The tests of images run when they are asked for, where their tools are installed."""

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from instance_ha_simulator.files import free_port
from urllib3 import HTTPConnectionPool, Timeout

from local.hosting import Call, InProcess, Response
from stack import Function
from tests.followers import Aws
from tests.functions.conftest import Installation, installed
from tests.images import tools

_HERE = "tests/images/"  # where the ids of these tests begin
_PATIENCE = 30.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder builds or runs images."""
    reason = "of images (make test-images)"
    missing = [tool for tool in tools.NEEDED if shutil.which(tool) is None]
    if tools.asked_for() and (missing or not (tools.FOLDER / "installed").exists()):
        reason = (
            f"not installed: {', '.join(missing) or 'the base image'}; tests/images/install.sh needs Debian and root"
        )
    for item in items:
        if item.nodeid.startswith(_HERE) and item.path.name != "test_context.py":
            item.add_marker(pytest.mark.images)
            if not tools.asked_for() or reason.startswith("not installed"):
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Container:
    """A function that runs in its image."""

    name: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **how: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=30, **how)

    def state(self, path: str) -> int:
        """Return the code of an answer; 0 when there is none."""
        try:
            return self.get(path).status_code
        except requests.ConnectionError:
            return 0

    def becomes(self, path: str, code: int) -> None:
        """Wait for an answer."""
        until = time.monotonic() + _PATIENCE
        while self.state(path) != code:
            running = tools.podman("inspect", "--format", "{{.State.Running}}", self.name) == "true"
            assert running and time.monotonic() < until, f"{path} is not {code}: {tools.logs(self.name)}"
            time.sleep(0.05)

    def told_by(self, program: str) -> Any:
        """Run a program in it; returns the JSON that it prints."""
        return json.loads(tools.podman("exec", "-w", "/tmp", self.name, "python3", "-c", program))

    def call(self, call: Call) -> Response:
        """Take a call of the local gateway."""
        pool = HTTPConnectionPool("127.0.0.1", self.port, timeout=Timeout(60.0))
        answer = pool.urlopen(call.method, call.path, call.body, dict(call.headers), retries=False, redirect=False)
        return Response(answer.status, tuple(answer.headers.iteritems()), answer.data)


Run = Callable[..., Container]
Into = Callable[[str, Container], list[str]]


class PartlyContained(InProcess):
    """Every function in this process, but for those that a test has put into a container."""

    def __init__(self, functions: Iterable[Function], environ: Mapping[str, str]) -> None:
        super().__init__(functions, environ)
        self.containers: dict[str, tuple[Container, list[str]]] = {}

    def call(self, name: str, call: Call) -> Response:
        """Invoke a function."""
        if name not in self.containers:
            return super().call(name, call)
        container, calls = self.containers[name]
        calls.append(f"{call.method} {call.path}")
        return container.call(call)


@pytest.fixture(scope="session")
def build() -> Callable[..., str]:
    """Builds an image, once for each function and stage."""
    tools.make_base()
    built: dict[tuple[str, str], str] = {}

    def make(name: str, stage: str = "knative", **arguments: str) -> str:
        if (name, stage) not in built:
            built[name, stage] = tools.build(name, stage, **arguments)
        return built[name, stage]

    return make


@pytest.fixture(scope="package")
def installation(aws: Aws) -> Iterator[Installation]:
    """The product, of which a test puts one function or another into a container."""
    with installed(aws, PartlyContained) as running:
        yield running


@pytest.fixture
def into(installation: Installation) -> Iterator[Into]:
    """Lets the gateway call a function in its container; returns the calls that it gets, by and by."""
    backend = installation.runtime.backend
    assert isinstance(backend, PartlyContained)

    def put(name: str, container: Container) -> list[str]:
        backend.containers[name] = container, []
        return backend.containers[name][1]

    yield put
    backend.containers.clear()


@pytest.fixture
def secrets(installation: Installation, tmp_path: Path) -> Path:
    """The secrets as platforms mount them: the functions' user may read them."""
    folder = tmp_path / "secrets"
    shutil.copytree(installation.runtime.options.state_dir / "secrets", folder)
    shutil.copy(installation.runtime.clouds_yaml, folder / "clouds-yaml")
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o444)
    return folder


@pytest.fixture
def run(build: Callable[..., str], installation: Installation, secrets: Path) -> Iterator[Run]:
    """Runs a function in its image, on a port of the loopback interface."""
    started: list[str] = []

    def start(name: str, **variables: str) -> Container:
        container = Container(f"{name}-{uuid4().hex[:8]}", free_port())
        started.append(container.name)
        own = (
            "INSTANCE_HA_TRIGGER_SINK",
            "INSTANCE_HA_INVOCATION_TIME",
            "INSTANCE_HA_LEASE_TIME",
            "INSTANCE_HA_VERIFY_INTERVAL",
        )
        given = {name: installation.runtime.environ[name] for name in own} | {
            "OS_CLOUD": "masakari",
            "OS_CLIENT_CONFIG_FILE": "/var/openfaas/secrets/clouds-yaml",
            "INSTANCE_HA_LOG_LEVEL": "DEBUG",
            "HOST": "127.0.0.1",
            "PORT": str(container.port),
            "HOSTNAME": socket.gethostname(),
        }
        tools.start(build(name), container.name, secrets, given | variables)
        return container

    yield start
    for name in started:
        tools.podman("rm", "-f", "-t", "0", name)
