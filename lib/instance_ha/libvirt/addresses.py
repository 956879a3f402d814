"""Where a host's libvirt is."""

import errno
import re
import socket
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from urllib.parse import urlsplit

from instance_ha.models.errors import HostSilent, Misconfigured, SourceUnavailable
from instance_ha.settings import Settings

HOST = "{host}"
PORTS = {"tls": 16514, "tcp": 16509, "ssh": 22}
_NOBODY_THERE = (errno.EHOSTUNREACH, errno.EHOSTDOWN)


def check(settings: Settings, find: Callable[[str], object | None] = find_spec) -> None:
    """Check the address, and that the library is there; ``find`` finds what can be imported.

    Raises:
        Misconfigured: something is wrong or missing.

    """
    uri = settings.libvirt_uri
    if not re.fullmatch(r"[a-z]+(\+(tls|tcp|ssh|unix))?", urlsplit(uri).scheme) or re.search(
        "[{}]", uri.replace(HOST, "")
    ):
        raise Misconfigured(f"INSTANCE_HA_LIBVIRT_URI must be a libvirt URI, in which {HOST} stands for the host")
    if find("libvirt") is None:
        raise Misconfigured("guest_monitoring needs libvirt-python, which is not installed")


def here(settings: Settings, names: Iterable[str]) -> list[str]:
    """Say which hosts can be reached: all, or the one that we run on."""
    if HOST in settings.libvirt_uri:
        return list(names)
    own = settings.libvirt_hostname or socket.gethostname()
    return [name for name in names if name == own]


def expect_answer(uri: str, timeout: float) -> None:
    """See that a server listens there; libvirt itself would wait for a dead host for minutes.

    Raises:
        HostSilent: nothing there answers within so many seconds.
        SourceUnavailable: the host refuses a connection, so that it is there, or cannot be asked from here.

    """
    parts = urlsplit(uri)
    port = PORTS.get(parts.scheme.partition("+")[2])
    if port is None or not parts.hostname:
        return
    try:
        socket.create_connection((parts.hostname, parts.port or port), timeout).close()
    except OSError as error:
        if isinstance(error, TimeoutError) or error.errno in _NOBODY_THERE:
            raise HostSilent(f"{uri} is not reachable: {error}") from None
        raise SourceUnavailable(f"{uri} cannot be asked: {error}") from None
