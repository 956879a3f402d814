"""The real tier runs when it is asked for, where its parts are installed and the machine allows it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = "tests/real/"  # where the ids of these tests begin
PARTS = Path(__file__).parents[2] / ".real" / "root"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is of the real tier."""
    asked = os.environ.get("REAL_TIER") == "1"
    for item in items:
        if item.nodeid.startswith(_HERE):
            item.add_marker(pytest.mark.real)
            if not asked:
                item.add_marker(pytest.mark.skip(reason="of the real tier (make test-real)"))


def part(path: str) -> Path:
    """Return an installed part, or skip."""
    found = PARTS / path
    if not found.exists():
        pytest.skip(f"{path} is not installed: tests/real/install.sh needs Debian and root")
    return found


@pytest.fixture(scope="session")
def namespaces() -> None:
    """The machine lets us make network namespaces."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need root and ip")
    made = subprocess.run(["ip", "netns", "add", "ha-try"], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no network namespaces here: {made.stderr.strip()}")
    subprocess.run(["ip", "netns", "delete", "ha-try"], check=True)


@pytest.fixture(scope="session")
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Daemons of the tests, ended with them."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in reversed(started):
        process.terminate()
    for process in reversed(started):
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
