"""A function that is served as its image does it: a real process on a real port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import psutil
import pytest
import requests
from instance_ha_simulator.files import free_port

BODY = """
import os, sys, time, functions_framework

@functions_framework.http
def answer(request):
    if request.path == "/_/ready":
        return "READY"
    if request.path == "/large":
        return "x" * 1000000
    if request.path == "/die":
        os.kill(os.getpid(), 9)
    if request.path == "/fail":
        raise RuntimeError("no")
    if request.path.startswith("/where"):
        return f"{request.script_root} {request.path}"
    time.sleep(float(request.args.get("seconds", 0)))
    if "write" in request.args:
        open(request.args["write"], "w").close()
    return request.get_data(as_text=True) or "done"
"""


@dataclass
class Served:
    """A function that is served."""

    process: subprocess.Popen[str]
    port: int
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    def get(self, path: str, **how: object) -> requests.Response:
        """GET."""
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=60, **how)  # type: ignore[arg-type]

    def later(self, path: str) -> Future[requests.Response]:
        """Ask, and give it the time to arrive."""
        asked = self.pool.submit(self.get, path)
        time.sleep(0.3)
        return asked

    def end(self) -> tuple[int, str]:
        """Wait for its end: its code, and what it has written."""
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output

    def send(self, data: bytes) -> socket.socket:
        """Connect and send something; nothing is read."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(data)
        return connection

    def memory(self) -> int:
        """Return the bytes that it holds, with its children."""
        process = psutil.Process(self.process.pid)
        return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))


Serve = Callable[..., Served]


@contextmanager
def serving(default: Path) -> Iterator[Serve]:
    """Yield what serves a folder's function; all end with the block."""
    started: list[Served] = []

    def start(folder: Path = default, **variables: str) -> Served:
        port = free_port()
        environ = os.environ | {"HOST": "127.0.0.1", "PORT": str(port), **variables}
        port = int(environ["PORT"]) if environ["PORT"].isdecimal() else port
        command = [sys.executable, "-m", "instance_ha.serving", str(folder)]
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(Served(process, port))
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            try:
                started[-1].get("/_/ready")
            except requests.ConnectionError:
                time.sleep(0.02)
            else:
                break
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.process.kill()
            one.process.wait()
            one.pool.shutdown()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serves a function for all tests of a file that ask for it with the same variables: they leave it as it was."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "main.py").write_text(BODY)
    with serving(folder) as serve:
        yield cache(partial(serve, folder))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serve]:
    """Serves a function."""
    (tmp_path / "main.py").write_text(BODY)
    with serving(tmp_path) as serve:
        yield serve
