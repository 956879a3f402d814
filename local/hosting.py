"""Hosting functions: all in this process, or each in a process of its own."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

import structlog
from instance_ha.serving.application import load
from instance_ha.serving.function import declared, world_of
from instance_ha.world import World
from instance_ha_simulator.files import free_port
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError, ReadTimeoutError
from werkzeug.test import run_wsgi_app

from local.troubles import HostingError
from stack import Function

_CALL_LIMIT = 65.0  # as OpenFaaS' gateway: a little more than an invocation may last
_START_LIMIT = 60.0
_STOP_LIMIT = 10.0
_THREADS = 32
_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Call:
    """An HTTP request to a function."""

    method: str
    path: str  # as it stands in a request line: percent-encoded, with its query
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """What the function answered."""

    code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Backend(Protocol):
    """Runs functions."""

    @property
    def tick_at_start(self) -> frozenset[str]:
        """Name the functions that get their first tick at once from outside."""

    def call(self, name: str, call: Call) -> Response:
        """Invoke a function; 502 when it cannot be reached, 504 when it does not answer."""

    def stop(self) -> None:
        """End whatever was started."""


Hosting = Callable[[Iterable[Function], Mapping[str, str]], Backend]
"""Starts functions, in an environment."""


class InProcess:
    """Every function in this process, each in a world of its own."""

    def __init__(self, functions: Iterable[Function], environ: Mapping[str, str]) -> None:
        self._applications = {
            function.name: load(function.folder, _variables(function, environ)) for function in functions
        }

    def call(self, name: str, call: Call) -> Response:
        """Invoke a function."""
        parts, status, headers = run_wsgi_app(self._applications[name], _environ(call), buffered=True)
        return Response(int(status.split()[0]), tuple(headers), b"".join(parts))

    @property
    def tick_at_start(self) -> frozenset[str]:
        """Name those that do not wait for their first tick."""
        functions = {name: declared(application) for name, application in self._applications.items()}
        return frozenset(name for name, function in functions.items() if function and function.tick_at_start)

    def world(self, name: str) -> World:
        """Return the world that a function works in."""
        world = world_of(self._applications[name])
        assert world is not None
        return world

    def statements(self) -> int:
        """Count what all functions have sent to Postgres."""
        return sum(self.world(name).database.statements for name in self._applications)

    def stop(self) -> None:
        """Nothing was started; connections are closed."""
        for application in self._applications.values():
            if (world := world_of(application)) is not None:
                world.database.close()


def _variables(function: Function, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a function: what all have, and what stack.yml says of it."""
    return {**environ, **{key: value for key, value in function.environment.items() if "${" not in value}}


def _environ(call: Call) -> dict[str, Any]:
    path, _, query = call.path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(call.body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(call.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in call.headers.items():
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ


@dataclass(frozen=True)
class _Child:
    """A process that serves a function."""

    process: subprocess.Popen[bytes]
    port: int
    pool: HTTPConnectionPool

    @property
    def alive(self) -> bool:
        return self.process.poll() is None


class Isolated:
    """A process for each function; one that dies is started again at its next call."""

    tick_at_start: frozenset[str] = frozenset()  # they do so by themselves

    def __init__(self, functions: Iterable[Function], environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._functions = {function.name: function for function in functions}
        self._locks = {name: threading.Lock() for name in self._functions}
        self._stopped = False
        self._children: dict[str, _Child] = {}
        try:
            for name in self._functions:
                self._children[name] = self._start(name)
            for name in self._functions:
                self._await(name, self._children[name])
        except BaseException:
            self.stop()
            raise

    def pids(self) -> dict[str, int]:
        """Tell which process runs which function."""
        return {name: child.process.pid for name, child in self._children.items()}

    def call(self, name: str, call: Call) -> Response:
        """Invoke a function over HTTP."""
        try:
            # A connection each: a kept one may be closed by the function at the moment of its use.
            answer = self._living(name).pool.urlopen(
                call.method,
                call.path,
                body=call.body or None,
                headers={**call.headers, "Connection": "close"},
                redirect=False,
                retries=False,
                decode_content=False,
            )
        except ReadTimeoutError:
            return Response(504, (), f"{name} does not answer".encode())
        except (HTTPError, HostingError) as error:
            structlog.get_logger().warning("function not reached", function=name, error=str(error))
            return Response(502, (), f"{name} cannot be reached".encode())
        return Response(answer.status, tuple(answer.headers.iteritems()), answer.data)

    def _living(self, name: str) -> _Child:
        with self._locks[name]:
            child = self._children[name]
            if child.alive or self._stopped:
                return child
            structlog.get_logger().warning("function died", function=name, code=child.process.returncode)
            child = self._children[name] = self._start(name)
            self._await(name, child)
            return child

    def _start(self, name: str) -> _Child:
        function, port = self._functions[name], free_port()
        # -P: the folder of child.py is not for import.
        command = [sys.executable, "-P", str(_CHILD), str(function.folder)]
        threads, address = {"THREADS": str(_THREADS)}, {"HOST": "127.0.0.1", "PORT": str(port)}
        environment = _variables(function, threads | dict(self._environ)) | address
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        pool = HTTPConnectionPool("127.0.0.1", port, maxsize=64, timeout=Timeout(connect=5.0, read=_CALL_LIMIT))
        return _Child(process, port, pool)

    def _await(self, name: str, child: _Child) -> None:
        """Wait until it takes connections."""
        until = time.monotonic() + _START_LIMIT
        while time.monotonic() < until:
            if not child.alive:
                raise HostingError(f"{name} ended with code {child.process.returncode} before it was ready")
            try:
                socket.create_connection(("127.0.0.1", child.port), 1.0).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise HostingError(f"{name} is not ready after {_START_LIMIT:.0f} s")

    def stop(self) -> None:
        """End the processes we have started."""
        self._stopped = True
        children = [child.process for child in self._children.values()]
        for process in children:
            process.terminate()
        until = time.monotonic() + _STOP_LIMIT
        for process in children:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
