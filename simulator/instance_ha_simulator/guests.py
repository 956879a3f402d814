"""Guests of a scenario, as libvirt would show them; the real adapter is tested against a real libvirt."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from instance_ha.models.errors import HostSilent
from instance_ha.models.guests import Channel, Domain, Fault

_PING_LIMIT = 2.0


@dataclass
class Guest:
    """A guest: its agent answers, or not; its domain may have failed."""

    agent: str = "answers"  # or: hangs, busy (in use by another client), leaves (the guest has closed the channel)
    fault: str | None = None
    starts: int = 1

    def domain(self, uuid: str) -> Domain:
        """Return its domain."""
        off = self.fault == Fault.FAILED
        return Domain(
            uuid=uuid,
            id=None if off else self.starts,
            running=self.fault is None,
            fault=Fault(self.fault) if self.fault else None,
            channel=Channel.CLOSED if self.agent == "leaves" else Channel.OPEN,
        )


class Guests:
    """A stand-in for the libvirt of every host: its domains are the instances of the simulated cloud."""

    def __init__(self) -> None:
        self.guests: dict[str, Guest] = {}
        self.servers: Callable[[], Iterable[Any]] = tuple
        self.sleep: Callable[[float], None] = lambda _seconds: None
        self.unreachable: set[str] = set()
        self.is_fenced: Callable[[str], bool] = lambda _host: False
        self.elsewhere = False
        self.trouble: Exception | None = None  # what comes of asking any host

    def guest(self, name: str) -> Guest:
        """Return a guest by its instance's name."""
        return self.guests.setdefault(name, Guest())

    def happen(self, about: dict[str, Any]) -> None:
        """Let something happen to a guest."""
        guest = self.guest(about.pop("name"))
        if about.pop("restarted", False):
            guest.starts += 1
        for key, value in about.items():
            setattr(guest, key, value)

    def here(self, names: Iterable[str]) -> list[str]:
        """All hosts can be reached, or none."""
        return [] if self.elsewhere else list(names)

    @contextmanager
    def open(self, host: str) -> Iterator["Connection"]:
        """Connect."""
        if host in self.unreachable or self.is_fenced(host):
            raise HostSilent(f"{host} is not reachable")
        if self.trouble is not None:
            raise self.trouble
        yield Connection(self, host)


class Connection:
    """A connection to one host."""

    def __init__(self, guests: Guests, host: str) -> None:
        self._guests = guests
        self._host = host
        self._names: dict[str, str] = {}

    def domains(self) -> list[Domain]:
        """Return the domains of the host."""
        here = [server for server in self._guests.servers() if server.host == self._host]
        self._names = {server.id: server.name for server in here}
        return [self._guests.guest(server.name).domain(server.id) for server in here]

    def ping(self, uuid: str) -> bool | None:
        """Ask the agent of one of the domains that were shown."""
        agent = self._guests.guest(self._names[uuid]).agent
        if agent == "hangs":
            self._guests.sleep(_PING_LIMIT)
        return {"answers": True, "hangs": False, "leaves": False, "busy": None}[agent]
