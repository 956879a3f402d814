"""Hosting functions: all in this process, or each in a process of its own."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import requests
from werkzeug.test import Client
from werkzeug.wrappers import Response

from local.stack import Function

_CALL_LIMIT = 65.0  # as OpenFaaS' gateway: a little more than an invocation may last


@dataclass(frozen=True)
class Call:
    """An HTTP request to a function."""

    method: str
    path: str  # with its query
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What the function answered."""

    code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Backend(Protocol):
    """Runs functions."""

    def call(self, name: str, call: Call) -> Answer:
        """Invoke a function; 502 when it cannot be reached."""

    def stop(self) -> None:
        """End whatever was started."""


class InProcess:
    """Every function in this process, as functions-framework makes it."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._clients = {function.name: Client(_load(function), Response) for function in functions}

    def call(self, name: str, call: Call) -> Answer:
        """Invoke a function."""
        answer = self._clients[name].open(call.path, method=call.method, headers=dict(call.headers), data=call.body)
        return Answer(answer.status_code, tuple(answer.headers.items()), answer.get_data())

    def stop(self) -> None:
        """Nothing was started."""


def _load(function: Function) -> Any:
    """Make the WSGI application.

    functions-framework names a module after its file, and all of ours are main.py; and it leaves its choice in the
    environment for the next one. Both are put back.
    """
    from functions_framework import create_app

    before = {name: os.environ.get(name) for name in ("FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE")}
    try:
        return create_app(function.target, str(function.folder / "main.py"), "http")
    finally:
        sys.modules.pop("main", None)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class Isolated:
    """A process for each function, as on a platform; one that dies is started again at its next call."""

    def __init__(self, functions: Iterable[Function], log: IO[bytes] | None) -> None:
        self._functions = {function.name: function for function in functions}
        self._log = log
        self._lock = threading.Lock()
        self._children: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self._http = threading.local()
        for name in self._functions:
            self._port(name)

    def _port(self, name: str) -> int:
        with self._lock:
            child = self._children.get(name)
            if child is None or child[0].poll() is not None:
                child = self._children[name] = self._start(self._functions[name])
            return child[1]

    def _start(self, function: Function) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        command = [sys.executable, "-m", "functions_framework", "--target", function.target]
        command += ["--source", str(function.folder / "main.py"), "--signature-type", "http"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        environment = os.environ | {"THREADS": "32"}
        child = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL)
        return child, port

    def pids(self) -> dict[str, int]:
        """Tell which process runs which function."""
        with self._lock:
            return {name: child.pid for name, (child, _) in self._children.items()}

    def call(self, name: str, call: Call) -> Answer:
        """Invoke a function over HTTP."""
        url = f"http://127.0.0.1:{self._port(name)}{call.path}"
        try:
            answer = self._session().request(
                call.method,
                url,
                headers=dict(call.headers),
                data=call.body,
                timeout=_CALL_LIMIT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return Answer(502, (), f"{name}: {type(error).__name__}".encode())
        return Answer(answer.status_code, tuple(answer.headers.items()), answer.content)

    def _session(self) -> requests.Session:
        if not hasattr(self._http, "session"):
            self._http.session = requests.Session()
            self._http.session.trust_env = False
        session: requests.Session = self._http.session
        return session

    def stop(self) -> None:
        """End the processes we have started."""
        with self._lock:
            children = [child for child, _ in self._children.values()]
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def repository() -> Path:
    """Return the folder that holds stack.yml."""
    return Path(__file__).parents[1]
