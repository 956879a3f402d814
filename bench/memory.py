"""Resident memory of the local runtime with every function in it, beside a bare hello world."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.clouds import clouds_yaml
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.cloud.server import LoopbackServer
from instance_ha_simulator.files import free_port, temporary_state_dir, write_secret

from bench.children import await_ok, child, hello_world, serving
from bench.client import DEAD, HOSTS, Operator
from bench.figures import Row, Samples
from local.files import repository
from local.runtime import without_cloud

AIM = 250.0
_MB = 1_000_000
_INSTANCES = 20
_READS, _WRITES = 170, 10  # a write is three requests
_LIMIT = 120.0


class NotUsable(Exception):
    """The runtime did not do its work; the text says how."""


@dataclass(frozen=True)
class Sizes:
    """Resident memory in MB."""

    begun: float  # before the first request
    used: float
    hello: float
    postgres: float


def measure(runs: int) -> tuple[list[Row], str]:
    """Use the runtime; returns the figures."""
    sizes = [_run() for _ in range(runs)]
    hello = _of(sizes, "hello")
    rows = [
        Row("memory of the runtime after 200 requests and a recovery", _of(sizes, "used"), "hello world", hello, AIM,
            aim_is_ratio=False),
        Row("memory of the runtime before", _of(sizes, "begun"), "hello world", hello),
        Row("memory of its Postgres (all processes, shared pages once)", _of(sizes, "postgres")),
    ]  # fmt: skip
    return rows, ""


def _of(sizes: list[Sizes], name: str) -> Samples:
    return Samples(tuple(getattr(one, name) for one in sizes), "MB", 0)


def _run() -> Sizes:
    port = free_port()
    with ExitStack() as resources:
        folder = resources.enter_context(temporary_state_dir())
        cloud, clouds = resources.enter_context(_cloud(folder, port))
        output = resources.enter_context((folder / "output").open("ab"))
        with serving(hello_world(folder), without_cloud(os.environ), output) as started:
            hello = _largest(started.pid)
        command = [sys.executable, "-m", "local", "up", "--foreground", "--port", str(port)]
        command += ["--state", str(folder / "state")]
        values = without_cloud(os.environ) | {"INSTANCE_HA_FORCE_DOWN": "true", "PYTHONPATH": str(repository())}
        values |= {"OS_CLIENT_CONFIG_FILE": str(clouds), "OS_CLOUD": "masakari"}
        process = resources.enter_context(child(command, values, output))
        await_ok(process, port, "/healthz")
        begun = _resident(process.pid)
        _use(cloud, clouds, f"http://127.0.0.1:{port}")
        return Sizes(begun, _resident(process.pid), hello, _postgres(folder / "state" / "postgres"))


@contextmanager
def _cloud(folder: Path, port: int) -> Iterator[tuple[Cloud, Path]]:
    """Simulate a cloud in this process; its clouds.yaml comes with it."""
    url = f"http://127.0.0.1:{port}/v1"
    cloud = Cloud(RealClock(), CloudOptions(instance_ha_url=url, evacuate_seconds=0.5))
    server = LoopbackServer(create_app(cloud))
    server.start()
    file = folder / "clouds.yaml"
    write_secret(file, clouds_yaml(cloud, server.url))
    try:
        yield cloud, file
    finally:
        server.stop()


def _use(cloud: Cloud, clouds: Path, url: str) -> None:
    """Ask 200 times, and let a host die."""
    operator = Operator(clouds)
    for host in HOSTS:
        cloud.add_host(host)
    operator.register()
    paths = ("/v1/segments", f"/v1/segments/{operator.segment}/hosts", "/v1/notifications", "/v1/", "/")
    codes = operator.call(url, [paths[number % len(paths)] for number in range(_READS)])
    if any(code >= 400 for code in codes):
        raise NotUsable(f"answers: {sorted(set(codes))}")
    for number in range(_WRITES):
        operator.write(number)
    _recover(cloud, operator)


def _recover(cloud: Cloud, operator: Operator) -> None:
    cloud.boot(DEAD, _INSTANCES)
    cloud.kill_host(DEAD)
    notification, until = operator.report(), time.monotonic() + _LIMIT
    while (status := operator.status(notification)) in ("new", "running"):
        if time.monotonic() > until:
            break
        time.sleep(0.5)
    if status != "finished":
        raise NotUsable(f"the notification is {status}")


def _resident(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / _MB


def _largest(pid: int) -> float:
    """Measure the process that serves, of a server and its worker."""
    return max(_resident(process.pid) for process in _tree(pid))


def _tree(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _postgres(data: Path) -> float:
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    full: list[Any] = [process.memory_full_info() for process in _tree(pid)]
    return sum(float(info.pss) for info in full) / _MB
