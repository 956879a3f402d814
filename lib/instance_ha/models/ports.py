"""What the world looks like from inside: the shapes that ``World`` holds, real or simulated."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from instance_ha.models.capacity import Inventory, Provider
from instance_ha.models.cloud import (
    Aggregate,
    ComputeService,
    Migration,
    PowerAction,
    Server,
    ServerGroup,
    ServiceState,
)
from instance_ha.models.events import Event, Sink
from instance_ha.models.fencing import Power, Rung
from instance_ha.models.guests import Domain
from instance_ha.models.health import NotificationRequest, NotificationResponse, Snapshot, Strategy
from instance_ha.models.logins import Credentials, IssuedToken
from instance_ha.models.metric import Metric
from instance_ha.models.rows import Caller
from instance_ha.models.triggers import RemoteAnswer, Trigger


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SteadyClock(Clock, Protocol):
    """A clock that can measure too."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow, from some start."""


class Publisher(Protocol):
    """Sends events to our functions; what gets lost is sent again by ``sweep``."""

    def publish(self, triggers: Iterable[Trigger], now: datetime) -> None:
        """Send; ``now`` is the time by the clock that their receivers compare it with, Postgres'."""


class Metrics(Protocol):
    """Counts what no row tells."""

    def count(self, metric: Metric, **labels: str) -> None:
        """Count one more."""

    def observe(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Count one more, which took so long."""


class Remote(Protocol):
    """Asks tasks of others."""

    def ask(self, url: str, identity: str, data: dict[str, Any], now: datetime) -> RemoteAnswer:
        """Ask once, at a time that is told by Postgres; raises CloudUnavailable when nothing was answered."""


class FenceMethod(Protocol):
    """One way to one host's power. Its methods raise FenceRefused or FenceUnavailable."""

    def off(self) -> str:
        """Ask for the power to be cut; returns what was answered, for people: it proves nothing."""

    def power(self) -> Power:
        """Say what the power is now."""


class Fences(Protocol):
    """Cuts the power of hosts; nothing here ever gives it back."""

    def ladder(self, host: str) -> tuple[Rung, ...]:
        """Return the ways to cut a host's power, in the order in which they are tried; none: it cannot be fenced."""

    def shared(self, hosts: Iterable[str]) -> Mapping[str, str]:
        """Name each of these hosts that would be fenced at the same machine as another one, and that other one."""

    def method(self, host: str, rung: Rung, now: datetime) -> FenceMethod:
        """Return the method of a rung, to be asked ``now``; raises FenceRefused when the ladder has it no more."""


class Sinks(Protocol):
    """Those who follow what happens here."""

    def send(self, sink: Sink, event: Event) -> None:
        """Hand an event over; raises SinkUnavailable or SinkRefused."""


class Archive(Protocol):
    """A bucket, where rows go before they are deleted. Its methods raise ArchiveUnavailable."""

    def holds(self, key: str, data: bytes) -> bool:
        """Say whether an object is there and is exactly this."""

    def write(self, key: str, data: bytes) -> None:
        """Store an object."""


class TokenCheck(Protocol):
    """Says who calls."""

    def check(self, environ: dict[str, Any]) -> Caller:
        """Return the caller of a WSGI request, or raise Unauthorized."""

    def forget(self, token: str) -> None:
        """Take a token for ended, whatever Keystone has said of it until now."""


class Policy(Protocol):
    """Says who may do what."""

    def allows(self, caller: Caller, rule: str) -> bool:
        """Say whether the caller may do what the rule is about."""

    def check(self, caller: Caller, rule: str) -> None:
        """Raise Forbidden when the caller may not."""


class Nova(Protocol):
    """What is asked of Nova; the methods are explained at ``nova.client.NovaClient``."""

    def under(  # noqa: D102
        self, cover: Callable[[float], None], renewed: Callable[[float], AbstractContextManager[None]]
    ) -> "Nova": ...
    def service(self, host: str) -> ComputeService | None: ...  # noqa: D102
    def services(self) -> list[ComputeService]: ...  # noqa: D102
    def service_states(self) -> list[ServiceState]: ...  # noqa: D102
    def disable_service(self, service_id: str, reason: str, force_down: bool, timeout: float | None) -> None: ...  # noqa: D102
    def enable_service(self, service_id: str) -> None: ...  # noqa: D102
    def lift_force_down(self, service_id: str) -> None: ...  # noqa: D102
    def aggregates(self) -> list[Aggregate]: ...  # noqa: D102
    def provider_hosts(self) -> dict[str, str]: ...  # noqa: D102
    def server_groups(self) -> list[ServerGroup]: ...  # noqa: D102
    def join_aggregate(self, aggregate_id: int, host: str) -> None: ...  # noqa: D102
    def leave_aggregate(self, aggregate_id: int, host: str) -> None: ...  # noqa: D102
    def locked_servers(self, changed_since: datetime) -> list[Server]: ...  # noqa: D102
    def changed_servers(self, changed_since: datetime, host: str | None = None) -> Iterator[list[Server]]: ...  # noqa: D102
    def servers_on(self, host: str) -> Iterator[list[Server]]: ...  # noqa: D102
    def server(self, server_id: str) -> Server | None: ...  # noqa: D102
    def evacuations_from(self, host: str, last_migration_id: int, limit: int) -> Iterator[Migration]: ...  # noqa: D102
    def uptime(self, host: str) -> timedelta | None: ...  # noqa: D102
    def last_power_action(self, server_id: str) -> PowerAction | None: ...  # noqa: D102
    def latest_evacuation(self, server_id: str) -> Migration | None: ...  # noqa: D102
    def latest_live_migration(self, server_id: str) -> Migration | None: ...  # noqa: D102
    def evacuate(self, server_id: str, host: str | None) -> None: ...  # noqa: D102
    def live_migrate(self, server_id: str, host: str) -> None: ...  # noqa: D102
    def lock(self, server_id: str, reason: str) -> None: ...  # noqa: D102
    def unlock(self, server_id: str) -> None: ...  # noqa: D102
    def reset_to_error(self, server_id: str) -> None: ...  # noqa: D102
    def start(self, server_id: str) -> None: ...  # noqa: D102
    def reset_to_active(self, server_id: str) -> None: ...  # noqa: D102
    def stop(self, server_id: str) -> None: ...  # noqa: D102
    def pause(self, server_id: str) -> None: ...  # noqa: D102
    def suspend(self, server_id: str) -> None: ...  # noqa: D102


class Logins(Protocol):
    """Gets tokens for people; the methods are explained at ``keystone.logins.KeystoneLogins``."""

    def log_in(self, credentials: Credentials) -> IssuedToken: ...  # noqa: D102
    def log_out(self, token: str) -> None: ...  # noqa: D102


class Placement(Protocol):
    """What is asked of Placement; the methods are explained at ``placement.client.PlacementClient``."""

    def providers(self) -> list[Provider]: ...  # noqa: D102
    def with_trait(self, trait: str) -> frozenset[str]: ...  # noqa: D102
    def inventories(self, uuid: str) -> dict[str, Inventory]: ...  # noqa: D102
    def allocations(self, uuid: str) -> dict[str, dict[str, int]]: ...  # noqa: D102


class HostSource(Protocol):
    """Says which hosts are up."""

    @property
    def strategy(self) -> Strategy:
        """What its networks are, and which broken ones ask for a recovery."""

    def poll(self, listed: frozenset[str]) -> Snapshot:
        """Return a complete answer; ``listed`` are the hosts that it knew the last time.

        Raises:
            SourceUnavailable: there is no answer, or not all of it.

        """


class NotificationClient(Protocol):
    """Posts notifications to the instance HA API."""

    def post(self, request: NotificationRequest) -> NotificationResponse:
        """Post a notification.

        Raises:
            CloudUnavailable: there was no answer; the notification may have been accepted.

        """


class Hypervisor(Protocol):
    """A connection to the libvirt of one host."""

    def domains(self) -> list[Domain]:
        """Return all domains."""

    def ping(self, uuid: str) -> bool | None:
        """Say whether the guest's agent answers; None when that cannot be said, since it could not be asked."""


class Hypervisors(Protocol):
    """Reaches the libvirt of every host."""

    def here(self, names: Iterable[str]) -> list[str]:
        """Say which of these hosts can be reached from here."""

    def open(self, host: str) -> AbstractContextManager[Hypervisor]:
        """Connect to a host.

        Raises:
            SourceUnavailable: it cannot be reached in time.

        """
