"""What the world looks like from inside: the shapes that ``World`` holds, real or simulated."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Protocol

from instance_ha.models.cloud import ComputeService, Migration, PowerAction, Server
from instance_ha.models.rows import Caller
from instance_ha.models.work import Work


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Publisher(Protocol):
    """Sends events to our functions; what gets lost is sent again by ``sweep``."""

    def publish(self, works: Iterable[Work]) -> None:
        """Send."""


class TokenCheck(Protocol):
    """Says who calls."""

    @property
    def auth_uri(self) -> str:
        """Where a token can be had."""

    def check(self, environ: dict[str, Any]) -> Caller:
        """Return the caller of a WSGI request, or raise Unauthorized."""


class Policy(Protocol):
    """Says who may do what."""

    def allows(self, caller: Caller, rule: str) -> bool:
        """Say whether the caller may do what the rule is about."""

    def check(self, caller: Caller, rule: str) -> None:
        """Raise Forbidden when the caller may not."""


class Nova(Protocol):
    """What is asked of Nova; the methods are explained at ``nova.client.NovaClient``."""

    def service(self, host: str) -> ComputeService | None: ...  # noqa: D102
    def disable_service(self, service_id: str, reason: str, force_down: bool, timeout: float) -> None: ...  # noqa: D102
    def servers_on(self, host: str) -> Iterator[list[Server]]: ...  # noqa: D102
    def server(self, server_id: str) -> Server | None: ...  # noqa: D102
    def evacuations_from(self, host: str, newer_than: int, limit: int) -> Iterator[Migration]: ...  # noqa: D102
    def evacuate(self, server_id: str) -> None: ...  # noqa: D102
    def lock(self, server_id: str, reason: str) -> None: ...  # noqa: D102
    def unlock(self, server_id: str) -> None: ...  # noqa: D102
    def last_power_action(self, server_id: str) -> PowerAction | None: ...  # noqa: D102
    def reset_to_error(self, server_id: str) -> None: ...  # noqa: D102
    def reset_to_active(self, server_id: str) -> None: ...  # noqa: D102
    def start(self, server_id: str) -> None: ...  # noqa: D102
    def stop(self, server_id: str) -> None: ...  # noqa: D102
    def pause(self, server_id: str) -> None: ...  # noqa: D102
    def suspend(self, server_id: str) -> None: ...  # noqa: D102
