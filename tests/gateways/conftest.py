"""The generated configurations of nginx and Caddy, in front of something that says what it was asked."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from instance_ha_simulator.files import free_port

from deploy.render.__main__ import render
from deploy.render.site import read
from local.files import repository

Front = Callable[[int], str]

# What tests/real/install.sh has unpacked is played by make test-real alone: .ci/run makes both.
_UNPACKED = repository() / ".real/root/usr/sbin"
_PLACES = ("/usr/sbin", *([str(_UNPACKED)] if os.environ.get("REAL_TIER") == "1" else []))

_NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        received = {
            "method": self.command,
            "path": self.path,
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }
        body = json.dumps(received).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def echo() -> Iterator[int]:
    """Stands for OpenFaaS' gateway; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session", params=["nginx", "caddy"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Start the gateway before a port of ours; its address."""
    program = shutil.which(request.param, path=os.pathsep.join([os.environ["PATH"], *_PLACES]))
    if program is None:
        pytest.skip(f"of {request.param} (it is not installed)")
    started: list[subprocess.Popen[bytes]] = []

    def start(backend: int) -> str:
        folder, port = tmp_path_factory.mktemp(request.param), free_port()
        command = {"nginx": _nginx, "caddy": _caddy}[request.param](program, folder, port, backend)
        environment = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        started.append(subprocess.Popen(command, env=environment, stderr=(folder / "log").open("wb")))
        _wait(port, started[-1], folder / "log")
        return f"http://127.0.0.1:{port}"

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def _nginx(program: str, folder: Path, port: int, backend: int) -> list[str]:
    site = read(repository(), {"OPENFAAS_GATEWAY": f"127.0.0.1:{backend}"})
    text = render(site)["gateway/nginx.conf"]
    (folder / "site.conf").write_text(text.replace("listen 80;", f"listen 127.0.0.1:{port};"))
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder))
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    return command


def _caddy(program: str, folder: Path, port: int, backend: int) -> list[str]:
    site = read(repository(), {"OPENFAAS_GATEWAY": f"127.0.0.1:{backend}", "API_HOST": f"http://127.0.0.1:{port}"})
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + render(site)["gateway/Caddyfile"])
    return [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"it does not start: {log.read_text()}")
