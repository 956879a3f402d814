"""The loopback interface is reached without the proxies that the environment names."""

import os
import sys
from collections.abc import Mapping

_LOOPBACK = ("127.0.0.1", "localhost")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def without_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose proxies, if it names any, do not stand before the loopback interface."""
    if not any(name.lower() in _PROXIES and value for name, value in environ.items()):
        return dict(environ)
    given = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    hosts = [host.strip() for host in given if host.strip()]
    bypassed = ",".join(hosts if "*" in hosts else dict.fromkeys([*hosts, *_LOOPBACK]))
    return {**environ, "no_proxy": bypassed, "NO_PROXY": bypassed}


def restart_without_proxies() -> None:
    """Begin this program anew where a proxy stands before the loopback interface.

    What functions use in this process reads the environment of a process, and that is given once, at its start.
    """
    environ = without_proxies(os.environ)
    if environ != os.environ:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)
