"""All settings together, and what follows from several of them."""

from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from instance_ha.models.events import Sink, parse_sinks
from instance_ha.settings.api import ApiSettings
from instance_ha.settings.cloud import CloudSettings
from instance_ha.settings.console import ConsoleSettings
from instance_ha.settings.events import EventSettings
from instance_ha.settings.fencing import FencingSettings
from instance_ha.settings.functions import FunctionSettings
from instance_ha.settings.gates import GateSettings
from instance_ha.settings.monitoring import MonitoringSettings
from instance_ha.settings.part import Part
from instance_ha.settings.purging import PurgeSettings
from instance_ha.settings.readiness import ReadinessSettings
from instance_ha.settings.recovery import RecoverySettings

# The sections of docs/configuration.md, by heading.
PARTS: dict[str, type[Part]] = {
    "All functions": FunctionSettings,
    "The API": ApiSettings,
    "Nova": CloudSettings,
    "Recovery": RecoverySettings,
    "Gates": GateSettings,
    "Readiness": ReadinessSettings,
    "Fencing": FencingSettings,
    "The monitors": MonitoringSettings,
    "Events": EventSettings,
    "Purge": PurgeSettings,
    "The console": ConsoleSettings,
}
SECRETS = {  # setting: the file that may hold it
    "database_url": "database-url",
    "trigger_key": "trigger-key",
    "task_key": "task-key",
    "console_key": "console-key",
    "cron_token": "cron-token",
    "metrics_token": "metrics-token",
    "consul_token_manage": "consul-token-manage",
    "consul_token_tenant": "consul-token-tenant",
    "consul_token_storage": "consul-token-storage",
    "event_sinks": "event-sinks",
}
LEASE_MARGIN = 2.0  # seconds that a lease lasts at least longer than a request that is made under it
_BETWEEN_TICKS = 60.0  # seconds


class Settings(
    FunctionSettings,
    ApiSettings,
    CloudSettings,
    RecoverySettings,
    GateSettings,
    ReadinessSettings,
    FencingSettings,
    MonitoringSettings,
    EventSettings,
    PurgeSettings,
    ConsoleSettings,
):
    """Every setting with its default and its meaning."""

    @cached_property
    def trigger_keys(self) -> tuple[bytes, ...]:
        """The keys of internal events, the signing one first."""
        return _lines(self.trigger_key)

    @cached_property
    def task_keys(self) -> tuple[bytes, ...]:
        """The keys of what tasks that are URLs are sent, the signing one first."""
        return _lines(self.task_key)

    @cached_property
    def console_keys(self) -> tuple[bytes, ...]:
        """The keys of the console's sessions, the encrypting one first."""
        return _lines(self.console_key)

    @cached_property
    def cron_tokens(self) -> tuple[bytes, ...]:
        """The tokens of schedulers; none: ticks need none."""
        return _lines(self.cron_token)

    @cached_property
    def metrics_tokens(self) -> tuple[bytes, ...]:
        """The tokens that open the metrics; none: they are not served."""
        return _lines(self.metrics_token)

    @cached_property
    def sinks(self) -> tuple[Sink, ...]:
        """Those who get events; none by default."""
        text = self.event_sinks.get_secret_value().strip() if self.event_sinks else ""
        return parse_sinks(text) if text else ()

    @cached_property
    def never_fenced(self) -> tuple[str, ...]:
        """Names, or forms of names, of hosts that are never fenced."""
        return tuple(name.strip() for name in self.never_fence.split(",") if name.strip())

    @property
    def fencing_path(self) -> Path | None:
        """The file that says how hosts are fenced; None: no host can be."""
        mounted = self.secrets_dir / "fencing-yaml"
        return self.fencing_file or (mounted if mounted.is_file() else None)

    @property
    def idle_after_crash(self) -> float:
        """Seconds after which an interrupted recovery goes on at the latest, though all functions were killed at once.

        The last invocation's lease has to end first, which lasts at least as long as a request that changes something;
        then ``sweep`` has to see it, which it does at once, but not shortly before its next tick. A third-party task
        holds the lease for its own time limit.
        """
        held = max(self.lease_time, max(self.nova_timeout, self.fence_timeout) + LEASE_MARGIN)
        return held + _BETWEEN_TICKS - self.sweep_time

    @property
    def secrets(self) -> dict[str, tuple[str, ...]]:
        """Words that must not be told, whatever they stand in, by what they are."""
        values = {
            name: value.get_secret_value() for name, value in self.__dict__.items() if isinstance(value, SecretStr)
        }
        found = {
            f"the secret {SECRETS[name]}, or a line of it,": (value, *(line.strip() for line in value.splitlines()))
            for name, value in values.items()
        }
        password = urlsplit(self.database_url.get_secret_value()).password or ""
        found["the password in the database's URL"] = (password, unquote(password))
        found["the address of an event sink"] = tuple(sink.address for sink in self.sinks)
        return found


def _lines(secret: SecretStr | None) -> tuple[bytes, ...]:
    text = secret.get_secret_value() if secret else ""
    return tuple(line.strip().encode() for line in text.splitlines() if line.strip())
