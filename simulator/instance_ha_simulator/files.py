"""Folders, secret files and ports of what is started on this machine."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_state_dir(folder: Path) -> None:
    """Make a folder and those above it, closed to others; whatever is there already stays as it is.

    Root's may be passed through, since Postgres runs there as another user.
    """
    if folder.is_dir():
        return
    make_state_dir(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


@contextmanager
def temporary_state_dir() -> Iterator[Path]:
    """Make a folder for one run, that an unprivileged user may pass through, and remove it after."""
    folder = Path(tempfile.mkdtemp(prefix="instance-ha-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
