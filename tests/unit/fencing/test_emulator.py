"""Redfish against the emulator of OpenStack's own sushy-tools, with authentication, as it comes from its authors."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from instance_ha.fencing.file import RedfishMethod
from instance_ha.fencing.redfish import Redfish
from instance_ha.models.errors import FenceRefused
from instance_ha.models.fencing import Power

SYSTEM = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
USER_FILE = "admin:$2y$05$mYl8KMwM94l4LR/sw1teIeA6P2u8gfX16e8wvT7NmGgAM5r9jgLl.\n"  # password, as bcrypt
CONFIG = """
SUSHY_EMULATOR_AUTH_FILE = {users!r}
SUSHY_EMULATOR_STATE_DIR = {folder!r}
SUSHY_EMULATOR_FAKE_SYSTEMS = [
    {{"uuid": {system!r}, "name": "compute-1", "power_state": "On", "external_notifier": False, "nics": []}}
]
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Serve the emulator with its fake driver, whose systems change 1 to 11 seconds after the 204."""
    (tmp_path / "users").write_text(USER_FILE)
    config = CONFIG.format(users=str(tmp_path / "users"), folder=str(tmp_path), system=SYSTEM)
    (tmp_path / "emulator.py").write_text(config)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = str(Path(sys.executable).with_name("sushy-emulator"))
    command = [program, "--fake", "-i", "127.0.0.1", "-p", str(port), "--config", str(tmp_path / "emulator.py")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def client(url: str, password: str = "password") -> Redfish:
    """Make a method for it."""
    given = {"method": "redfish", "address": url, "username": "admin", "password": password}
    return Redfish(RedfishMethod.model_validate({**given, "system": f"/redfish/v1/Systems/{SYSTEM}"}), 5)


def test_the_power_goes_seconds_after_the_request_was_accepted(url: str) -> None:
    bmc = client(url)
    assert bmc.power() is Power.ON
    assert bmc.off() == "accepted"
    for _ in range(60):
        if bmc.power() is Power.OFF:
            break
        time.sleep(0.25)
    assert [bmc.power(), bmc.power()] == [Power.OFF, Power.OFF]


def test_a_wrong_password_is_refused(url: str) -> None:
    with pytest.raises(FenceRefused, match="401"):
        client(url, "another-password").off()
