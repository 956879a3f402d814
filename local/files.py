"""Folders of the local runtime."""

from collections.abc import Mapping
from pathlib import Path


def repository() -> Path:
    """Return the folder that holds stack.yml."""
    return Path(__file__).parents[1]


def default_state_dir(environ: Mapping[str, str], uid: int) -> Path:
    """Return the folder that is ours: below /var/lib for root, else where the user keeps such things."""
    if given := environ.get("LOCAL_STATE_DIR"):
        return Path(given)
    if uid == 0:
        return Path("/var/lib/instance-ha")
    home = Path(environ.get("HOME") or Path.home())
    return Path(environ.get("XDG_STATE_HOME") or home / ".local/state") / "instance-ha"
