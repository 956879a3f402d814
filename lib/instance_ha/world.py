"""The one door to everything outside: clock, Postgres, Nova, events, tokens, policy, sinks, archive.

It is handed down from where a function is served; nothing below opens another. Production makes it in
``composition``; the simulator of the tests makes its own, with virtual time and a cloud that it controls.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from instance_ha.beside import beside
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.ports import (
    Archive,
    Fences,
    HostSource,
    Hypervisors,
    Logins,
    NotificationClient,
    Nova,
    Placement,
    Policy,
    Publisher,
    Remote,
    Sinks,
    SteadyClock,
    TokenCheck,
)
from instance_ha.settings import Settings
from instance_ha.store.database import Database
from instance_ha.timeouts import with_timeout


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only ever grow, from some start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class DatabaseClock:
    """Postgres' clock, read at the first use and carried on by the machine's monotonic one.

    Leases, due times and ages are compared by several invocations, whose machines' clocks may be apart.
    """

    def __init__(self, machine: SteadyClock, database: Database) -> None:
        self._machine = machine
        self._database = database
        self._start: tuple[datetime, float] | None = None  # what Postgres' clock said, and when by the monotonic one

    def now(self) -> datetime:
        """Return the time, aware, in UTC; raises StoreUnavailable when Postgres does not answer at the first use."""
        if self._start is None:  # no cached_property: its lock is one for all invocations of a process
            self._start = self._database.now(), self._machine.monotonic()
        read, at = self._start
        return read + timedelta(seconds=self._machine.monotonic() - at)

    def monotonic(self) -> float:
        """Return seconds that only ever grow, from some start."""
        return self._machine.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._machine.sleep(seconds)


def _pass(_name: Breakpoint) -> None:
    """In production nothing happens at a breakpoint."""


def new_owner() -> str:
    """Name an invocation, as the owner of its leases."""
    return str(uuid4())


def map_concurrent(work: Callable[[Any], Any], items: Iterable[Any], limit: int) -> list[Any]:
    """Do the same with many things at the same time, at most so many; the first error is raised when all are done."""
    things = list(items)
    if not things:
        return []
    with ThreadPoolExecutor(min(limit, len(things)), thread_name_prefix="map-concurrent") as pool:
        asked = [pool.submit(copy_context().run, work, thing) for thing in things]  # the log's bound values go along
    return [one.result() for one in asked]


# No world is compared with another, or printed: the methods for it would be written at each start.
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class World:
    """Everything outside that every function needs; what is costly to have is made at its first use."""

    settings: Settings
    clock: SteadyClock
    database: Database
    metrics: Recorder = field(default_factory=Recorder)
    hostname: str = "localhost"  # who we are, for those who read our events
    ending: Callable[[], bool] = lambda: False  # whether this instance is about to end: work is handed over early
    map_concurrent: Callable[[Callable[[Any], Any], Iterable[Any], int], list[Any]] = map_concurrent
    breakpoint: Callable[[Breakpoint], None] = field(default=_pass)  # where a test can kill the invocation

    def for_invocation(self) -> Self:
        """Return the world of one invocation: its clock is Postgres', read at its first use."""
        return replace(self, clock=DatabaseClock(self.clock, self.database))

    def deadline(self) -> datetime:
        """When an invocation that begins now must hand its work over."""
        return self.clock.now() + timedelta(seconds=self.settings.invocation_time)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SweepWorld(World):
    """What ``sweep`` needs."""

    publisher: Publisher


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RecoveryWorld(SweepWorld):
    """What recoveries need."""

    nova: Nova
    remote: Remote
    fences: Fences
    with_timeout: Callable[[Callable[[], None], float], None] = field(default=with_timeout)  # a call that cannot hang
    beside: Callable[[Callable[[], None], float], AbstractContextManager[None]] = field(default=beside)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ApiWorld(SweepWorld):
    """What the REST API needs."""

    nova: Nova
    tokens: TokenCheck
    policy: Policy


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ConsoleWorld(ApiWorld):
    """What ``console`` needs."""

    logins: Logins


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ArchiveWorld(World):
    """What a purge needs."""

    archive: Archive


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PurgeWorld(ApiWorld, ArchiveWorld):
    """What the function ``purge`` needs, which answers requests as well."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MonitorWorld(World):
    """What both monitors need."""

    notification_client: NotificationClient


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HostMonitorWorld(MonitorWorld):
    """What ``monitor-poll`` needs."""

    source: HostSource


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GuestMonitorWorld(MonitorWorld):
    """What ``monitor-guests`` needs."""

    nova: Nova
    hypervisors: Hypervisors


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ReadinessWorld(World):
    """What ``readiness`` needs."""

    nova: Nova
    placement: Placement
    fences: Fences


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RelayWorld(World):
    """What ``relay`` needs."""

    sinks: Sinks


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WholeWorld(RecoveryWorld, PurgeWorld, HostMonitorWorld, GuestMonitorWorld, ReadinessWorld, RelayWorld):
    """All of it: for an operator's commands, and for simulations."""
