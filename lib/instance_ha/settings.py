"""All settings, typed, from the environment and from mounted secret files.

A setting ``verify_interval`` is read from ``INSTANCE_HA_VERIFY_INTERVAL``; names and meanings are those of
masakari.conf where it has them (reference, section 7). An unknown ``INSTANCE_HA_*`` name is refused: a
misspelt safety setting must not pass silently. docs/configuration.md is generated from this module.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from instance_ha.models.errors import Misconfigured

PREFIX = "INSTANCE_HA_"
Seconds = float


class Settings(BaseModel):
    """Every setting with its default and its meaning."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    secrets_dir: Path = Field(
        Path("/var/openfaas/secrets"),
        description="Folder where the platform mounts the secrets, a file each.",
    )
    database_url: SecretStr = Field(
        description="Postgres, as postgresql://user:password@host:port/name. "
        "Also read from `DATABASE_URL` and from the secret `database-url`."
    )
    database_pool_size: int = Field(4, ge=1, description="Connections one function instance keeps at most.")
    event_key: SecretStr | None = Field(
        None,
        description="Keys that sign internal events, one a line: the first signs, all are accepted. "
        "Read from the secret `event-key`.",
    )
    event_sink: str | None = Field(
        None,
        description="URL that takes CloudEvents; `{function}` in it stands for the receiver's name. "
        "Also read from `K_SINK` and `EVENT_SINK`.",
    )
    event_max_age: Seconds = Field(900, gt=0, description="Older events are refused: a replay, or a stuck broker.")
    event_timeout: Seconds = Field(5, gt=0, description="Time limit for handing one event to the sink.")

    osapi_max_limit: int = Field(1000, ge=1, description="Most items that one list answer holds.")
    osapi_masakari_link_prefix: str | None = Field(None, description="Base of the links in version documents.")
    max_request_body_size: int = Field(114688, ge=1, description="Larger request bodies are refused with 413.")
    auth_strategy: Literal["keystone", "noauth2"] = Field(
        "keystone",
        description="`noauth2`: every caller is an administrator, for a demo. Refused where a Keystone is configured.",
    )
    policy_file: str | None = Field(
        None,
        description="Policy file of oslo.policy (all rules: docs/policy.yaml.sample); "
        "`reader` names the one that comes with us and lets the role reader read.",
    )
    token_cache_time: int = Field(300, ge=-1, description="Seconds a checked token is believed; -1 never.")
    memcached_servers: str | None = Field(
        None, description="host:port,… that share checked tokens between function instances; each keeps its own else."
    )
    duplicate_notification_detection_interval: Seconds = Field(
        180, ge=0, description="Two equal reports that are no further apart are one failure."
    )

    host_failure_recovery_threads: int = Field(
        10, ge=1, le=1000, description="Evacuations in flight at once for one notification."
    )
    wait_period_after_service_update: Seconds = Field(
        180, ge=0, description="Longest wait until Nova calls the failed compute service down."
    )
    wait_period_after_evacuation: Seconds = Field(
        90, gt=0, description="An evacuation that takes longer is looked at by itself, again and again."
    )
    evacuation_give_up_after: Seconds = Field(
        3600, gt=0, description="An evacuation that Nova has not finished by then has failed."
    )
    wait_period_after_power_off: Seconds = Field(180, gt=0, description="Longest wait for an instance to stop.")
    wait_period_after_power_on: Seconds = Field(60, gt=0, description="Longest wait for an instance to start.")
    verify_interval: Seconds = Field(0.5, gt=0, description="Pause between two questions of a wait.")
    force_down: bool = Field(
        False,
        description="Tell Nova that the failed service is down instead of waiting for it. "
        "Only where every reported host has been fenced.",
    )
    service_disable_reason: str = Field(
        "Masakari detected host failed.", description="Reason that Nova shows for the disabled service."
    )
    evacuate_all_instances: bool = Field(True, description="Evacuate instances without the metadata key too.")
    ha_enabled_instance_metadata_key: str = Field("HA_Enabled", description="Metadata key of instances to evacuate.")
    ignore_instances_in_error_state: bool = Field(False, description="Leave instances in error where they are.")

    process_all_instances: bool = Field(
        False, description="Stop and start every failed instance, not only those with the metadata key."
    )
    instance_failure_ha_enabled_instance_metadata_key: str | None = Field(
        None, description="Metadata key of failed instances; `ha_enabled_instance_metadata_key` by default."
    )
    process_failure_service_disable_reason: str = Field(
        "Masakari detected process failed.", description="Reason that Nova shows for a service whose process failed."
    )

    recovery_flows_file: Path | None = Field(
        None,
        description="File with the section `[taskflow_driver_recovery_flows]`: other tasks than ours, or in another "
        "order (docs/custom-tasks.md).",
    )
    url_task_time_limit: Seconds = Field(600, gt=0, description="Longest wait for a task that is a URL.")
    url_task_interval: Seconds = Field(
        5, gt=0, le=30, description="Pause between two questions to a task that is a URL."
    )
    url_task_timeout: Seconds = Field(15, gt=0, description="Time limit of one question to a task that is a URL.")

    process_unfinished_notifications_interval: Seconds = Field(
        120, ge=0, description="Pause before a failed attempt is tried again."
    )
    retry_notification_new_status_interval: Seconds = Field(
        5, ge=0, description="How long a stored report is left to its own event before it is sent again."
    )
    check_expired_notifications_interval: Seconds = Field(
        600, gt=0, description="Pause between two looks for recoveries that have lasted too long."
    )
    recovery_attempts: int = Field(2, ge=1, description="Attempts at one recovery before it is `failed`.")
    notifications_expired_interval: Seconds = Field(86400, gt=0, description="A recovery not done by then is `failed`.")

    invocation_time: Seconds = Field(50, gt=1, description="Work of one invocation; the rest is continued by another.")
    lease_time: Seconds = Field(45, gt=5, description="A row held longer without a sign of life is free again.")
    sweep_interval: Seconds = Field(5, gt=0, description="Pause between two looks at what is overdue.")
    sweep_grace: Seconds = Field(5, ge=0, description="How long other due work is left to its own event.")

    os_region_name: str | None = Field(None, description="Region of Nova; the cloud configuration's by default.")
    os_interface: Literal["public", "internal", "admin"] = Field("public", description="Catalog interface of Nova.")
    nova_timeout: Seconds = Field(15, gt=0, description="Time limit of one request to Nova.")
    nova_list_timeout: Seconds = Field(60, gt=0, description="Time limit of one page of a list from Nova.")
    nova_page_size: int = Field(500, ge=1, le=1000, description="Servers asked of Nova in one page.")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")

    @cached_property
    def event_keys(self) -> tuple[bytes, ...]:
        """The keys of internal events, the signing one first."""
        text = self.event_key.get_secret_value() if self.event_key else ""
        return tuple(line.strip().encode() for line in text.splitlines() if line.strip())


_SECRETS = {"database_url": "database-url", "event_key": "event-key"}
_ALIASES = {"database_url": ("DATABASE_URL",), "event_sink": ("K_SINK", "EVENT_SINK")}


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        Misconfigured: names the settings and what is wrong with each.

    """
    values = {name[len(PREFIX) :].lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    unknown = sorted(set(values) - set(Settings.model_fields))
    if unknown:
        where = "see docs/configuration.md for all names"
        raise Misconfigured(*(f"unknown setting {PREFIX}{name.upper()}: {where}" for name in unknown))
    for name, aliases in _ALIASES.items():
        for alias in aliases:
            if environ.get(alias):
                values.setdefault(name, environ[alias])
    folder = Path(values.get("secrets_dir", str(Settings.model_fields["secrets_dir"].default)))
    for name, file in _SECRETS.items():
        if name not in values and (folder / file).is_file():
            values[name] = (folder / file).read_text().strip()
    return _checked(values)


def _checked(values: Mapping[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(dict(values))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise Misconfigured(*(_one_line(details) for details in found)) from None
    if not settings.database_url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise Misconfigured("DATABASE_URL must start with postgresql:// (and carry user, host and database name)")
    try:
        _ = urlsplit(settings.database_url.get_secret_value()).port
    except ValueError:
        raise Misconfigured("DATABASE_URL is no valid URL: is the port a number?") from None
    if settings.event_sink and not settings.event_sink.startswith(("http://", "https://")):
        raise Misconfigured("EVENT_SINK must be an http:// or https:// URL")
    return settings


def _one_line(details: ErrorDetails) -> str:
    name = str(details["loc"][0])
    if details["type"] == "missing":
        where = f"{_ALIASES.get(name, (PREFIX + name.upper(),))[0]} or the secret file {_SECRETS.get(name, name)}"
        return f"missing setting: set {where}"
    return f"{PREFIX}{name.upper()}: {details['msg']}"
