"""A guest of kernel, busybox and qemu-ga, and a libvirtd of our own that runs it under TCG."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from instance_ha_simulator.files import free_port

from tests.real import pki

PORT, TLS_PORT = free_port(), free_port()
URI = f"qemu+tcp://127.0.0.1:{PORT}/system"
_MODULES = (
    "virtio",
    "virtio_ring",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_console",
    "virtio_blk",
)
_INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for again in 1 2 3; do for module in /modules/*; do insmod $module 2>/dev/null; done; done
while true; do
  for port in /sys/class/virtio-ports/*; do
    [ "$(cat $port/name 2>/dev/null)" = org.qemu.guest_agent.0 ] && break 2
  done
  sleep 0.1
done
mkdir -p /var/run /run /var/lib/qga
echo "agent on $port"
while true; do qemu-ga -m virtio-serial -p /dev/$(basename $port) -t /run; sleep 5; done
"""
# The first channel is another one: the agent's must be found wherever it is.
_DOMAIN = """
<domain type='qemu'>
  <name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>160</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><kernel>{kernel}</kernel><initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet panic=-1</cmdline></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    {disk}
    <channel type='unix'><target type='virtio' name='org.example.other'/></channel>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <serial type='file'><source path='{log}'/></serial></devices>
</domain>
"""
# As OpenStack's are: whatever goes wrong with it stops the guest.
_DISK = """<disk type='file' device='disk'><driver name='qemu' type='raw' error_policy='stop'/>
    <source file='{image}'/><target dev='vda' bus='virtio'/></disk>"""
_WITHOUT_AGENT = """
<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>
"""


def initrd(folder: Path, modules: Path) -> Path:
    """Build the guest's file system."""
    root = folder / "guest"
    for name in ("bin", "modules", "dev", "proc", "sys"):
        (root / name).mkdir(parents=True)
    for name in ("/bin/busybox", "/usr/sbin/qemu-ga"):
        _copy(Path(name), root / "bin" / Path(name).name)
    for line in subprocess.run(["ldd", "/usr/sbin/qemu-ga"], capture_output=True, text=True, check=True).stdout.split():
        if line.startswith("/"):
            _copy(Path(line), root / line[1:])
    for name in _MODULES:
        for found in modules.rglob(f"{name}.ko"):
            shutil.copy(found, root / "modules")
    init = root / "init"
    init.write_text(_INIT)
    init.chmod(0o755)
    packed = folder / "initrd"
    subprocess.run(f"find . | cpio -o -H newc --quiet | gzip -1 > {packed}", shell=True, cwd=root, check=True)
    return packed


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


@dataclass
class Libvirtd:
    """A libvirtd whose configuration and state are in a folder of the test: /etc, /run and /var stay as they are."""

    folder: Path

    @property
    def full_disk(self) -> Path:
        """An image that promises more than there is room for."""
        return self.folder / "small" / "image"

    def tls_uri(self, certificates: str = "client") -> str:
        """Return the address over TLS, for a client with these certificates."""
        return f"qemu+tls://127.0.0.1:{TLS_PORT}/system?pkipath={self.folder}/{certificates}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it."""
        places = {name: self.folder / name.strip("/").replace("/", "-") for name in _PLACES}
        for name, place in places.items():
            place.mkdir(parents=True, exist_ok=True)
            Path(name).mkdir(parents=True, exist_ok=True)
        (places["/etc/libvirt"] / "qemu.conf").write_text(_QEMU)
        config = self.folder / "libvirtd.conf"
        pki.make(self.folder / "server", self.folder / "client", self.folder / "stranger")
        config.write_text(_LIBVIRTD.format(pki=self.folder / "server"))
        self.full_disk.parent.mkdir()
        binds = "; ".join(f"mount --bind {place} {name}" for name, place in places.items())
        binds += f"; mount -t tmpfs -o size=1m none {self.full_disk.parent}; truncate -s 16m {self.full_disk}"
        script = f"{binds}; exec libvirtd --listen --config {config} --pid-file {self.folder}/pid"
        with (self.folder / "libvirtd.log").open("wb") as log:
            daemon = subprocess.Popen(["unshare", "--mount", "sh", "-ec", script], stdout=log, stderr=log)
        try:
            yield
        finally:
            daemon.terminate()
            daemon.wait(20)
            for file in self.folder.rglob("*.pid"):
                _kill(file)


def _kill(file: Path) -> None:
    """End a QEMU that libvirtd has left running, as it always does."""
    try:
        pid = int(file.read_text())
        if "qemu" in Path(f"/proc/{pid}/comm").read_text():
            os.kill(pid, 9)
    except (OSError, ValueError):
        return


_PLACES = ("/etc/libvirt", "/run/libvirt", "/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt")
_QEMU = """
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = []
namespaces = []
"""
_LIBVIRTD = f"""
listen_tls = 1
tls_port = "{TLS_PORT}"
ca_file = "{{pki}}/cacert.pem"
cert_file = "{{pki}}/cert.pem"
key_file = "{{pki}}/key.pem"
listen_tcp = 1
tcp_port = "{PORT}"
listen_addr = "127.0.0.1"
auth_tcp = "none"
"""


class Guest:
    """A running guest, and what can be done to it."""

    def __init__(
        self, connection: object, uuid: str, folder: Path, kernel: Path, packed: Path, image: Path | None = None
    ) -> None:
        self.uuid, self.kernel, self.packed = uuid, kernel, packed
        self.log = folder / f"{uuid}.log"
        disk = _DISK.format(image=image) if image else ""
        xml = _DOMAIN.format(
            name=f"guest-{uuid[-8:]}", uuid=uuid, kernel=kernel, initrd=packed, log=self.log, disk=disk
        )
        self.domain = connection.defineXML(xml)  # type: ignore[attr-defined]
        self.domain.create()

    def hang(self, seconds: int) -> None:
        """Let the agent hang for so long: it stops itself, and something in the guest wakes it."""
        self._run(f"sleep 0.5; kill -STOP $(pidof qemu-ga); sleep {seconds}; kill -CONT $(pidof qemu-ga)")
        time.sleep(1.0)

    def stop_agent(self) -> None:
        """Let the agent end in order; the guest starts it again after some seconds."""
        self._run("sleep 0.5; kill -TERM $(pidof qemu-ga)")

    def write_to_its_disk(self) -> None:
        """Let it write more than there is room for."""
        self._run("dd if=/dev/zero of=/dev/vda bs=1M count=16; sync")

    def _run(self, script: str) -> None:
        import libvirt_qemu

        command = f'{{"execute":"guest-exec","arguments":{{"path":"/bin/sh","arg":["-c","{script}"]}}}}'
        libvirt_qemu.qemuAgentCommand(self.domain, command, 5, 0)

    def kill(self, folder: Path) -> None:
        """Kill its QEMU."""
        (file,) = folder.rglob(f"guest-{self.uuid[-8:]}.pid")
        os.kill(int(re.sub(r"\D", "", file.read_text())), 9)


def plain(connection: object, uuid: str) -> None:
    """Run a domain without an agent's channel."""
    connection.createXML(_WITHOUT_AGENT.format(name="plain", uuid=uuid))  # type: ignore[attr-defined]


class Machine:
    """A guest that plays a compute host: it stays known to libvirt when its power is cut."""

    def __init__(self, connection: object, name: str, uuid: str, folder: Path) -> None:
        self.domain = connection.defineXML(_WITHOUT_AGENT.format(name=name, uuid=uuid))  # type: ignore[attr-defined]
        self.name = name
        self._folder = folder
        self.domain.create()
        self.pid = self._pid()

    @property
    def is_dead(self) -> bool:
        """Whether libvirt says that it is shut off, and its QEMU is gone."""
        gone = not Path(f"/proc/{self.pid}").exists()
        assert gone is not bool(self.domain.isActive())
        return gone

    def start(self) -> None:
        """Give it power again."""
        if not self.domain.isActive():
            self.domain.create()
        self.pid = self._pid()

    @property
    def died_at(self) -> datetime:
        """When libvirt has cut its power the last time, as its own log of this guest says."""
        (log,) = self._folder.rglob(f"{self.name}.log")
        said = re.findall(r"^(\S+ \S+): shutting down, reason=destroyed", log.read_text(), re.MULTILINE)
        return datetime.fromisoformat(said[-1])

    def _pid(self) -> int:
        (file,) = self._folder.rglob(f"{self.name}.pid")
        return int(file.read_text())
