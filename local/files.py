"""Folders of the local runtime, and the proxies that it must not use."""

import os
from pathlib import Path


def repository() -> Path:
    """Return the folder that holds stack.yml."""
    return Path(__file__).parents[1]


def default_state_dir() -> Path:
    """Return the folder that is ours: below /var/lib for root, else where the user keeps such things."""
    if given := os.environ.get("LOCAL_STATE_DIR"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/instance-ha")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "instance-ha"


def bypass_proxies() -> None:
    """Let this process, and those that it starts, reach the loopback interface without the proxy of the environment."""
    for name in ("no_proxy", "NO_PROXY"):
        before = [os.environ[name]] if os.environ.get(name) else []
        os.environ[name] = ",".join([*before, "127.0.0.1", "localhost"])
