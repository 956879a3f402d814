"""The libvirt of each host, with time limits: a hypervisor that hangs must not hang us."""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import libvirt
import libvirt_qemu

from instance_ha.libvirt import addresses
from instance_ha.libvirt.limits import Limited
from instance_ha.libvirt.parse import agent_channel, fault
from instance_ha.models.errors import SourceUnavailable
from instance_ha.models.guests import Channel, Domain
from instance_ha.settings import Settings

_PING = json.dumps({"execute": "guest-ping"})
_KEEPALIVE, _KEEPALIVES = 5, 3
_GRACE = 5.0  # what a ping may take on the way, beside the time that the agent has
_SILENT = {libvirt.VIR_ERR_AGENT_UNRESPONSIVE, getattr(libvirt, "VIR_ERR_AGENT_COMMAND_TIMEOUT", -1)}


@cache
def _start_events() -> None:
    """Let libvirt notice by its keep-alive that a connection is dead."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # it would print what it raises
    libvirt.virEventRegisterDefaultImpl()

    def run() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=run, name="libvirt-events", daemon=True).start()


class LibvirtHypervisors:
    """Connects to hosts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limited = Limited()

    def here(self, names: Iterable[str]) -> list[str]:
        """Say which of these hosts can be reached from here."""
        return addresses.here(self._settings, names)

    @contextmanager
    def open(self, host: str) -> Iterator["LibvirtHypervisor"]:
        """Connect to a host.

        Raises:
            HostSilent: nothing at its address answers.
            SourceUnavailable: it cannot be asked.

        """
        _start_events()
        uri, seconds = self._settings.libvirt_uri.replace(addresses.HOST, host), self._settings.libvirt_timeout
        addresses.expect_answer(uri, seconds)
        try:
            connection = self._limited.call(uri, seconds, lambda: libvirt.open(uri), _close)
        except libvirt.libvirtError as error:
            raise SourceUnavailable(f"{uri}: {error}") from None
        try:
            yield LibvirtHypervisor(connection, uri, self._limited, self._settings)
        finally:
            threading.Thread(target=_close, args=(connection,), daemon=True).start()


def _close(connection: Any) -> None:
    try:
        connection.close()
    except libvirt.libvirtError:
        return


class LibvirtHypervisor:
    """A connection."""

    def __init__(self, connection: Any, uri: str, limited: Limited, settings: Settings) -> None:
        self._connection = connection
        self._uri = uri
        self._limited = limited
        self._timeout = settings.libvirt_timeout
        self._patience = int(settings.guest_monitoring_timeout)
        try:
            connection.setKeepAlive(_KEEPALIVE, _KEEPALIVES)
        except libvirt.libvirtError:
            return  # not on every transport

    def domains(self) -> list[Domain]:
        """Return all domains.

        Raises:
            SourceUnavailable: libvirt does not answer.

        """
        try:
            found = self._limited.call(self._uri, self._timeout, self._list)
        except libvirt.libvirtError as error:
            raise SourceUnavailable(f"{self._uri}: {error}") from None
        return [domain for domain in found if domain is not None]

    def _list(self) -> list[Domain | None]:
        return [_domain(domain) for domain in self._connection.listAllDomains()]

    def ping(self, uuid: str) -> bool | None:
        """Say whether the guest's agent answers; None when it could not be asked, since it is gone or in use."""

        def ask() -> bool | None:
            try:
                domain = self._connection.lookupByUUIDString(uuid)
                return bool(libvirt_qemu.qemuAgentCommand(domain, _PING, self._patience, 0))
            except libvirt.libvirtError as error:
                return False if error.get_error_code() in _SILENT else None

        try:
            answered: bool | None = self._limited.call(f"{self._uri} {uuid}", self._patience + _GRACE, ask)
        except SourceUnavailable:
            return None
        return answered


def _domain(domain: Any) -> Domain | None:
    """Read a domain; None when it has gone meanwhile."""
    try:
        state, reason = domain.state()
        running = state == libvirt.VIR_DOMAIN_RUNNING
        return Domain(
            uuid=domain.UUIDString(),
            id=None if domain.ID() < 0 else domain.ID(),
            running=running,
            fault=fault(state, reason),
            channel=agent_channel(domain.XMLDesc()) if running else Channel.NONE,
        )
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise
