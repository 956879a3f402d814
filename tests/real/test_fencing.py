"""Real guests are fenced over IPMI and Redfish, and are seen to be dead: by libvirt, and by ipmitool as well."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from instance_ha.fencing.file import IpmiMethod, RedfishMethod
from instance_ha.fencing.ipmi import Ipmi
from instance_ha.fencing.redfish import Redfish
from instance_ha.models.errors import FenceRefused
from instance_ha.models.fencing import Power
from instance_ha.models.ports import FenceMethod

from tests.bmc import certificate
from tests.real import guest as guests
from tests.real.conftest import PARTS, part

libvirt = pytest.importorskip("libvirt", reason="file of libvirt (make test-real)")
pytest.importorskip("virtualbmc", reason="file of virtualbmc (make test-real)")

USERNAME, PASSWORD = "admin", "password"
USERS = "admin:$2y$05$mYl8KMwM94l4LR/sw1teIeA6P2u8gfX16e8wvT7NmGgAM5r9jgLl.\n"  # the password, as bcrypt
UUIDS = tuple(f"8d6e3c2a-0000-4000-8000-0000000001{number:02}" for number in range(9))
BMC = """
import sys
from pyghmi.ipmi.private.session import Session
from virtualbmc.vbmc import VirtualBMC
VirtualBMC("admin", "password", int(sys.argv[1]), "::ffff:127.0.0.1", sys.argv[2], sys.argv[3])
print("serving", flush=True)
while True:
    Session.wait_for_rsp(timeout=5)
"""
EMULATOR = """
SUSHY_EMULATOR_AUTH_FILE = {folder!r} + "/users"
SUSHY_EMULATOR_SSL_CERT = SUSHY_EMULATOR_SSL_KEY = {certificate!r}
SUSHY_EMULATOR_STATE_DIR = {folder!r}
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Run libvirt; yields what starts a guest of a uuid."""
    if shutil.which("libvirtd") is None or shutil.which("ipmitool") is None:
        pytest.skip("libvirt and ipmitool are not installed")
    kernel = next(part("boot").glob("vmlinuz-*"))
    folder = tmp_path_factory.mktemp("libvirt")
    packed = guests.initrd(folder, PARTS / "lib" / "modules")
    daemon = guests.Libvirtd(folder)
    with daemon.running():
        connection = _connect()
        yield lambda uuid: guests.Guest(connection, uuid, folder, kernel, packed)
        for domain in connection.listAllDomains():
            with suppress(libvirt.libvirtError):
                domain.destroy()


def _connect() -> Any:
    until = time.monotonic() + 60
    while True:
        try:
            return libvirt.open(guests.URI)
        except libvirt.libvirtError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def free_port(kind: socket.SocketKind) -> int:
    """Find a port of this machine that nobody has."""
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def virtual_bmc(name: str) -> Iterator[int]:
    """Serve VirtualBMC for a domain; yields its port."""
    port = free_port(socket.SOCK_DGRAM)
    command = [sys.executable, "-c", BMC, str(port), name, guests.URI]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        yield port
        process.terminate()


@contextmanager
def emulator(folder: Path) -> Iterator[tuple[str, Path]]:
    """Serve sushy-tools' emulator over TLS, for all domains; yields its URL and its certificate."""
    file, port = certificate(folder, valid_days=2), free_port(socket.SOCK_STREAM)
    (folder / "users").write_text(USERS)
    (folder / "emulator.py").write_text(EMULATOR.format(folder=str(folder), certificate=str(file)))
    program = str(Path(sys.executable).with_name("sushy-emulator"))
    command = [program, "-i", "127.0.0.1", "-p", str(port), "--libvirt-uri", guests.URI]
    with subprocess.Popen([*command, "--config", str(folder / "emulator.py")]) as process:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.2)
        yield f"https://127.0.0.1:{port}", file
        process.terminate()


def ipmitool(port: int, *words: str) -> str:
    """Ask another client of IPMI."""
    command = ["ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(port), "-U", USERNAME]
    done = subprocess.run([*command, "-P", PASSWORD, *words], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def until_off(method: FenceMethod) -> None:
    """Wait until the power is off, twice in a row."""
    until = time.monotonic() + 30
    while not method.power() is method.power() is Power.OFF:
        assert time.monotonic() < until
        time.sleep(0.5)


def test_a_guest_is_fenced_over_ipmi_and_ipmitool_sees_it_off(host: Any) -> None:
    guest = host(UUIDS[0])
    with virtual_bmc(guest.domain.name()) as port:
        given = {"method": "ipmi", "address": "127.0.0.1", "port": port, "username": USERNAME, "password": PASSWORD}
        bmc = Ipmi(IpmiMethod.model_validate(given), 20)
        assert (bmc.power(), ipmitool(port, "power", "status")) == (Power.ON, "Chassis Power is on")
        assert bmc.off() == "accepted"
        until_off(bmc)
        assert ipmitool(port, "power", "status") == "Chassis Power is off"
        assert not guest.domain.isActive()
        bmc.off()
        assert not guest.domain.isActive()  # off already, and off it stays


def test_a_guest_is_fenced_over_redfish_and_its_neighbour_runs_on(host: Any, tmp_path: Path) -> None:
    guest, neighbour = host(UUIDS[1]), host(UUIDS[2])
    with emulator(tmp_path) as (url, file):

        def client(system: str | None, password: str = PASSWORD) -> Redfish:
            given = {"method": "redfish", "address": url, "username": USERNAME, "password": password}
            given |= {"ca_file": str(file)} | ({"system": f"/redfish/v1/Systems/{system}"} if system else {})
            return Redfish(RedfishMethod.model_validate(given), 10)

        with pytest.raises(FenceRefused, match="name it"):
            client(None).off()
        with pytest.raises(FenceRefused, match="401"):
            client(UUIDS[1], "another-password").off()
        assert guest.domain.isActive()
        bmc = client(UUIDS[1])
        assert bmc.power() is Power.ON
        assert bmc.off() == "accepted"
        until_off(bmc)
        assert not guest.domain.isActive()
        assert neighbour.domain.isActive()
