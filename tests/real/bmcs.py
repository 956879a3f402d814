"""BMCs of guests of libvirt: VirtualBMC (IPMI) and sushy-tools' emulator (Redfish); and ipmitool, a second opinion."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

USERNAME, PASSWORD = "fencer", "a-long-password"
_USERS = f"{USERNAME}:$2b$04$V9v3lQjWcgR.ttcP0VC03OxYyfQIcugAuvqZMh1C9MAOXsRQTVapq\n"  # PASSWORD, as bcrypt
_PATIENCE = 30.0
_VIRTUAL_BMC = """
[default]
config_dir = {folder}
pid_file = {folder}/pid
server_port = {control}
[log]
logfile = {folder}/log
debug = true
"""
_EMULATOR = """
SUSHY_EMULATOR_AUTH_FILE = {users!r}
SUSHY_EMULATOR_STATE_DIR = {folder!r}
SUSHY_EMULATOR_SSL_CERT = {certificate!r}
SUSHY_EMULATOR_SSL_KEY = {key!r}
SUSHY_EMULATOR_LIBVIRT_URI = {uri!r}
"""


def ipmitool(port: int, *command: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    """Ask a BMC of this machine with ipmitool, once; it asks for cipher suite 3, the one that VirtualBMC has."""
    words = ["ipmitool", "-I", "lanplus", "-C", "3", "-N", "1", "-R", "2", "-H", "127.0.0.1", "-p", str(port)]
    words += ["-U", USERNAME, "-E", "-L", "OPERATOR", *command]
    environ = os.environ | {"IPMI_PASSWORD": password}
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=False, timeout=60)


@dataclass
class VirtualBmc:
    """A VirtualBMC in front of one domain, managed by its own commands."""

    folder: Path
    domain: str
    port: int
    daemon: int  # its pid

    def start(self) -> None:
        """Let it answer."""
        self._run("start", self.domain)
        self.await_answer()

    def stop(self) -> None:
        """Let it answer nobody any more."""
        self._run("stop", self.domain)

    def await_answer(self) -> None:
        """Wait until ipmitool gets an answer."""
        until = time.monotonic() + _PATIENCE
        while ipmitool(self.port, "chassis", "power", "status").returncode != 0:
            assert time.monotonic() < until, f"no answer within {_PATIENCE} s"
            time.sleep(0.2)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it stand still: what is asked waits in its socket."""
        found = [one for one in psutil.Process(self.daemon).children() if one.is_running()]
        for process in found:
            process.suspend()
        try:
            yield
        finally:
            for process in found:
                process.resume()
            self.await_answer()

    def add(self, uri: str) -> None:
        """Make it."""
        words = ["--port", str(self.port), "--address", "127.0.0.1", "--username", USERNAME, "--password", PASSWORD]
        self._run("add", self.domain, *words, "--libvirt-uri", uri)

    def _run(self, *words: str) -> None:
        subprocess.run([_program("vbmc"), *words], env=_environ(self.folder), capture_output=True, check=True)


@contextmanager
def virtual_bmc(folder: Path, uri: str, domain: str) -> Iterator[VirtualBmc]:
    """Serve a VirtualBMC for a domain."""
    folder.mkdir()
    control = _free(socket.SOCK_STREAM)
    (folder / "virtualbmc.conf").write_text(_VIRTUAL_BMC.format(folder=folder, control=control))
    with _program_running([_program("vbmcd"), "--foreground"], control, env=_environ(folder)) as pid:
        served = VirtualBmc(folder, domain, _free(socket.SOCK_DGRAM), pid)
        served.add(uri)
        served.start()
        yield served
        served._run("stop", domain)


@contextmanager
def emulator(folder: Path, uri: str, certificate: Path, key: Path) -> Iterator[str]:
    """Serve sushy-tools' emulator for all domains of a libvirt, over TLS and with authentication; yields its URL."""
    folder.mkdir()
    (folder / "users").write_text(_USERS)
    values = {"users": str(folder / "users"), "folder": str(folder), "uri": uri}
    (folder / "emulator.py").write_text(_EMULATOR.format(**values, certificate=str(certificate), key=str(key)))
    port = _free(socket.SOCK_STREAM)
    words = ["-i", "127.0.0.1", "-p", str(port), "--config", str(folder / "emulator.py")]
    with _program_running([_program("sushy-emulator"), *words], port, env=dict(os.environ)):
        yield f"https://127.0.0.1:{port}"


@contextmanager
def _program_running(command: list[str], port: int, env: dict[str, str]) -> Iterator[int]:
    """Run a program that listens on a port; yields its pid."""
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(int(_PATIENCE * 10)):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                assert process.poll() is None, f"{command[0]} has ended"
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()


def _environ(folder: Path) -> dict[str, str]:
    return os.environ | {"VIRTUALBMC_CONFIG": str(folder / "virtualbmc.conf")}


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _free(kind: int) -> int:
    with socket.socket(type=kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
