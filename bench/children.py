"""Server processes of our own: started, waited for, ended."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil
from instance_ha_simulator.files import free_port

_LIMIT = 60.0
_PAUSE = 0.005  # between two questions whether the server answers

HELLO = '''"""Says hello, whatever it is asked."""

import functions_framework


@functions_framework.http
def hello(request):
    """Answer."""
    return "hello"
'''


class DidNotStart(Exception):
    """A server did not answer; the text says which, and ends with its output."""


@dataclass(frozen=True)
class Started:
    """A server that is ready."""

    pid: int
    port: int


@dataclass(frozen=True)
class Served:
    """A function: the name of the Python function, its file, and whether it is served as in its image."""

    target: str
    source: Path
    python: Path = Path(sys.executable)
    as_image: bool = False

    @property
    def command(self) -> list[str]:
        """The module that serves it, with its arguments; the port comes from the environment."""
        if self.as_image:
            return ["-m", "instance_ha.serving", str(self.source.parent)]
        return ["-m", "functions_framework", "--target", self.target, "--source", str(self.source)]


def hello_world(folder: Path) -> Served:
    """Write the function that all others are compared with."""
    source = folder / "hello" / "main.py"
    source.parent.mkdir(exist_ok=True)
    source.write_text(HELLO)
    return Served("hello", source)


@contextmanager
def serving(served: Served, environment: Mapping[str, str], output: IO[bytes], *options: str) -> Iterator[Started]:
    """Serve a function as a platform does, and wait until it is ready."""
    port = free_port()
    command = [str(served.python), *options, *served.command]
    listening = {"HOST": "127.0.0.1", "PORT": str(port)}
    with child(command, {**environment, **listening}, output) as process:
        await_ok(process, port, "/_/ready")
        yield Started(process.pid, port)


@contextmanager
def child(command: list[str], environment: Mapping[str, str], output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of ours, and end it at last."""
    process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """Return what a process and its living children have used, whatever else keeps the machine busy."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(time.clock_gettime(_clock(one.pid)) for one in family)


def _clock(pid: int) -> int:
    """Name the clock of a process as Linux does: psutil's hundredths of a second are too coarse."""
    return (~pid << 3) | 2


def await_ok(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    """Wait for the first answer 200.

    Raises:
        DidNotStart: it does not come.

    """
    until = time.monotonic() + _LIMIT
    while time.monotonic() < until and process.poll() is None:
        if _answers(port, path):
            return
        time.sleep(_PAUSE)
    raise DidNotStart(f"no answer 200 to {path}: {' '.join(process.args)}")  # type: ignore[arg-type]


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
