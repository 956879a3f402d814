"""BMCs as cruel as real ones: a Redfish service and an IPMI one on this machine, with the answers that a test says.

They answer in the protocols themselves; what they add to an emulator is the moods: to be late, to refuse what is done
already, to say off before it is so, to change a password.
"""

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from typing import IO, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[1]
Answer = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]  # verb, path, headers, body
USERNAME, PASSWORD = "fencer", "a-long-password"


@dataclass
class Machine:
    """A computer with power, which it loses ``delay`` seconds after it was asked to."""

    is_on: bool = True
    delay: float = 0.0
    stays_on: bool = False  # whatever it is asked
    said: list[str] = field(default_factory=list)  # what it says of its power next, whatever is so
    asked: list[str] = field(default_factory=list)  # every change that was asked of it
    off_at: float | None = None

    def ask(self, change: str) -> None:
        """Begin a change; nothing but off does anything."""
        self.asked.append(change)
        if not self.stays_on and self.off_at is None:
            self.off_at = time.monotonic() + self.delay

    @property
    def power(self) -> str:
        """What it says of its power."""
        if self.off_at is not None and time.monotonic() >= self.off_at:
            self.is_on = False
        return self.said.pop(0) if self.said else "On" if self.is_on else "Off"


@dataclass
class RedfishService:
    """A Redfish service with its systems, and its moods."""

    systems: dict[str, Machine]
    username: str = USERNAME
    password: str = PASSWORD
    when_off: int = 204  # what it answers when a system is off already: HPE says 400, Dell 409
    refuses: int | None = None  # with this to every change
    silent: bool = False  # it takes connections and says nothing
    silent_after: int | None = None  # requests
    reset_types: tuple[str, ...] = ("On", "ForceOff", "GracefulShutdown", "ForceRestart", "PowerCycle")
    requests: int = 0
    url: str = ""

    def document(self, path: str) -> dict[str, Any] | None:
        """Return a resource."""
        root, systems = "/redfish/v1", "/redfish/v1/Systems"
        if path == root:
            return {
                "@odata.id": root,
                "Id": "RootService",
                "RedfishVersion": "1.6.0",
                "Systems": {"@odata.id": systems},
            }
        if path == systems:
            members = [{"@odata.id": f"{systems}/{name}"} for name in self.systems]
            return {"@odata.id": systems, "Members": members, "Members@odata.count": len(members)}
        name = path.removeprefix(f"{systems}/")
        if name not in self.systems:
            return None
        reset = {"target": f"{path}/Actions/ComputerSystem.Reset"}
        return {
            "@odata.id": path,
            "Id": name,
            "Name": name,
            "PowerState": self.systems[name].power,
            "Actions": {"#ComputerSystem.Reset": {**reset, "ResetType@Redfish.AllowableValues": self.reset_types}},
        }

    def answer(self, verb: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Answer a request."""
        self.requests += 1
        if self.silent or (self.silent_after is not None and self.requests > self.silent_after):
            threading.Event().wait(5)
        login = f"Basic {b64encode(f'{self.username}:{self.password}'.encode()).decode()}"
        path = path.rstrip("/")
        if path != "/redfish/v1" and headers.get("Authorization") != login:
            return _error(401, "Base.1.8.NoValidSession")
        if verb == "POST":
            return self._change(self.systems[path.split("/")[4]], json.loads(body)["ResetType"])
        document = self.document(path)
        return (
            _error(404, "Base.1.8.ResourceMissingAtURI") if document is None else (200, json.dumps(document).encode())
        )

    def _change(self, machine: Machine, asked: str) -> tuple[int, bytes]:
        was_on = machine.is_on
        machine.ask(asked)
        status = self.refuses or (204 if was_on else self.when_off)
        return (204, b"") if status == 204 else _error(status, "iLO.2.14.InvalidOperationForSystemState")


def _error(status: int, message: str) -> tuple[int, bytes]:
    error = {"code": "Base.1.8.GeneralError", "message": message, "@Message.ExtendedInfo": []}
    return status, json.dumps({"error": error}).encode()


@contextmanager
def http(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve HTTP: each request gets the status and the body that ``answer`` returns; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = answer(self.command, self.path, dict(self.headers), asked)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # the client has given up
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do  # noqa: N815  # as http.server calls them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path, valid_days: int) -> Path:
    """Make a certificate for this machine, with its key in the same file; it ends after so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    end = datetime.now(UTC) + timedelta(days=valid_days)
    about = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    about = about.serial_number(x509.random_serial_number()).not_valid_before(end - timedelta(days=365))
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = about.not_valid_after(end).add_extension(address, critical=False).sign(key, SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "bmc.pem"
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


@contextmanager
def redfish(service: RedfishService, tls: ssl.SSLContext | None = None) -> Iterator[RedfishService]:
    """Serve a Redfish service; its ``url`` says where."""
    with http(service.answer, tls) as service.url:
        yield service


@contextmanager
def ipmi(password: str = PASSWORD) -> Iterator["IpmiService"]:
    """Serve IPMI, by pyghmi's own server in a process of its own (its sessions are shared by all of a process)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.ipmi_bmc", str(port), USERNAME, password]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "serving\n"
        try:
            yield IpmiService(port, process.stdout)
        finally:
            process.terminate()


@dataclass
class IpmiService:
    """An IPMI BMC in another process."""

    port: int
    lines: IO[str]

    @property
    def next_change(self) -> str:
        """The next change that was asked of its machine; waits for it."""
        return self.lines.readline().strip()


class Lossy:
    """Stands in front of a UDP port, and loses packets on their way to it."""

    def __init__(self, port: int, every: int) -> None:
        self._server = ("127.0.0.1", port)
        self.every = every  # one of so many is let through
        self.heard = 0
        self._client: Any = None
        self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.front.bind(("127.0.0.1", 0))
        self.back.bind(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        """The port to ask instead."""
        return int(self.front.getsockname()[1])

    def forward(self) -> None:
        """Let one of ``every`` so many packets through; an empty one ends it."""
        for number in count(1):
            data, self._client = self.front.recvfrom(65536)
            if not data:
                return
            self.heard = number
            if number % self.every == 0:
                self.back.sendto(data, self._server)

    def answer(self) -> None:
        """Bring back all answers; an empty one ends it."""
        while data := self.back.recv(65536):
            self.front.sendto(data, self._client)


@contextmanager
def lossy(port: int, every: int) -> Iterator[int]:
    """Let one of ``every`` so many packets to a UDP port through; yields the port to ask instead."""
    with network(port, every) as between:
        yield between.port


@contextmanager
def network(port: int, every: int) -> Iterator[Lossy]:
    """Stand in front of a UDP port."""
    made = Lossy(port, every)
    threads = [threading.Thread(target=work, daemon=True) for work in (made.forward, made.answer)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        for one in (made.front, made.back):
            one.sendto(b"", one.getsockname())
        for thread in threads:
            thread.join()
        made.front.close()
        made.back.close()
