"""All settings, typed, from the environment and from mounted secret files.

A setting ``verify_interval`` is read from ``INSTANCE_HA_VERIFY_INTERVAL``; names and meanings are those of
masakari.conf where it has them. An unknown ``INSTANCE_HA_*`` name is refused: a
misspelt safety setting must not pass silently. docs/configuration.md is generated from this module.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import ConfigDict, Field, SecretStr, ValidationError

from instance_ha.models.errors import Misconfigured
from instance_ha.models.events import Sink, parse_sinks
from instance_ha.settings_monitoring import MonitoringSettings

PREFIX = "INSTANCE_HA_"
LEASE_MARGIN = 2.0  # seconds that a lease lasts at least longer than a request that is made under it
_BETWEEN_TICKS = 60.0  # seconds
Seconds = float


class Settings(MonitoringSettings):
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
    trigger_key: SecretStr | None = Field(
        None,
        description="Keys that sign triggers, the events between our functions, one a line: the first signs, all are "
        "accepted. Read from the secret `trigger-key`.",
    )
    task_key: SecretStr | None = Field(
        None,
        description="Keys that sign what tasks that are URLs are sent (docs/custom-tasks.md), one a line: the first "
        "signs. Read from the secret `task-key`. They sign nothing else.",
    )
    cron_token: SecretStr | None = Field(
        None,
        description="Bearer tokens, one a line: with any, a tick of a scheduled function must carry one "
        "(docs/security.md). Read from the secret `cron-token`.",
    )
    trigger_sink: str | None = Field(
        None,
        description="URL that takes triggers, as CloudEvents; `{function}` in it stands for the receiver's name. "
        "Also read from `K_SINK`.",
    )
    trigger_max_age: Seconds = Field(900, gt=0, description="Older triggers are refused: a replay, or a stuck broker.")
    trigger_timeout: Seconds = Field(5, gt=0, description="Time limit for handing one trigger over.")
    trigger_answer_timeout: Seconds = Field(
        0.5,
        gt=0,
        description="A receiver that has the whole trigger and has not answered by then is taken to work on it; what "
        "it answers later does not count.",
    )

    metrics_token: SecretStr | None = Field(
        None,
        description="Bearer tokens that open `/_/metrics`, one a line; without one the path does not exist. "
        "Read from the secret `metrics-token`.",
    )
    event_sinks: SecretStr | None = Field(
        None,
        description="Receivers of events (docs/events.md): `name=address` entries; an address is a URL that "
        "takes CloudEvents, the ARN of an SNS topic, or `sqs+` and the URL of an SQS queue. Also read from the secret "
        "`event-sinks`. The same for all functions.",
    )
    event_timeout: Seconds = Field(10, gt=0, description="Time limit for handing one event to a sink.")
    event_give_up_after: Seconds = Field(
        86400, gt=0, description="An event that a sink has not taken by then becomes a dead letter."
    )
    event_interval: Seconds = Field(
        1, gt=0, description="Pause before the outbox is read again when there was nothing to send."
    )
    event_endpoint_url: str | None = Field(
        None, description="Where SNS and SQS are, if not at AWS. Keys and region: as for every AWS client."
    )
    host: str | None = Field(None, description="Name in the `publisher_id` of events; the host name by default.")

    purge_age_in_days: int = Field(
        30, ge=-1, description="Age from which the schedule purges rows; -1: it does not, only a request does."
    )
    purge_max_rows: int = Field(-1, ge=-1, description="Most rows of one scheduled purge; -1: all.")
    purge_batch: int = Field(500, ge=1, le=10000, description="Rows that are archived and deleted at once.")
    archive_bucket: str | None = Field(
        None, description="Bucket that purged rows are written to before; none: nowhere."
    )
    archive_prefix: str = Field("instance-ha/", description="What the names of archived objects begin with.")
    archive_endpoint_url: str | None = Field(
        None, description="Where S3 is, if not at AWS: Ceph RGW, Swift's s3api. Keys as for every AWS client."
    )
    archive_timeout: Seconds = Field(15, gt=0, description="Time limit of one request to the bucket.")

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
    www_authenticate_uri: str | None = Field(
        None, description="Keystone's public URL, told to callers without a valid token; none: no address is told."
    )
    token_cache_time: int = Field(300, ge=-1, description="Seconds a checked token is believed; -1 never.")
    refused_tokens_per_minute: int = Field(
        120,
        ge=1,
        description="Tokens that Keystone has refused within a minute, after which an instance asks about none that it "
        "has not accepted before: 503 until the minute is over.",
    )
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
    process_all_instances: bool = Field(False, description="Restart failed instances without the metadata key too.")
    guest_restarts_per_day: int = Field(
        3,
        ge=0,
        description="How often an instance is restarted within 24 hours since its guest agent does not answer; "
        "what is reported beyond that is ignored.",
    )
    start_stopped_instances: bool = Field(
        False,
        description="Start a reported instance even if its owner has stopped it, as Masakari does; "
        "by default it stays stopped.",
    )
    instance_failure_ha_enabled_instance_metadata_key: str = Field(
        "HA_Enabled",
        description="Metadata key of instances to restart (in masakari.conf: in its own section).",
    )
    process_failure_service_disable_reason: str = Field(
        "Masakari detected process failed.",
        description="Reason that Nova shows for a service whose process failed (in the section process_failure).",
    )
    service_disable_reason: str = Field(
        "Masakari detected host failed.", description="Reason that Nova shows for the disabled service."
    )
    evacuation_abort_after: int = Field(
        5,
        ge=0,
        description="So many failed evacuations in a row, and the rest of the attempt is not tried on that host; "
        "instances that an earlier attempt failed on do not count again. 0: try all.",
    )
    add_reserved_host_to_aggregate: bool = Field(
        False, description="A reserved host joins the aggregates of the failed host, and so its availability zone."
    )
    reserved_host_disable_reason: str = Field(
        "Masakari keeps this host reserved.", description="Reason that Nova shows for a reserved host given back."
    )
    share_reserved_hosts: bool = Field(
        False,
        description="A reserved host stays reserved when it is used, so several failed hosts may share it; "
        "it stays enabled then even if it received nothing.",
    )
    evacuate_all_instances: bool = Field(True, description="Evacuate instances without the metadata key too.")
    ha_enabled_instance_metadata_key: str = Field("HA_Enabled", description="Metadata key of instances to evacuate.")
    ha_priority_metadata_key: str = Field(
        "HA_Priority", description="Metadata key whose number orders evacuations: higher first, 0 without it."
    )
    ha_opt_out_metadata_key: str | None = Field(
        None, description="Metadata key whose true value keeps an instance out of every evacuation; none by default."
    )
    ignore_instances_in_error_state: bool = Field(False, description="Leave instances in error where they are.")

    process_unfinished_notifications_interval: Seconds = Field(
        120,
        ge=0,
        description="Pause before a failed attempt is tried again; twice as long after each further one, "
        "up to a quarter of an hour.",
    )
    retry_notification_new_status_interval: Seconds = Field(
        5, ge=0, description="How long a new notification is left to its own event before `sweep` sends another."
    )
    check_expired_notifications_interval: Seconds = Field(
        5, gt=0, description="Pause between two looks of `sweep` for what has expired."
    )
    recovery_flows_file: Path | None = Field(
        None, description="File of customised recovery flows (docs/custom-tasks.md); without it the usual ones."
    )
    fencing_file: Path | None = Field(
        None,
        description="File that says how hosts are fenced (docs/fencing.md); the secret `fencing-yaml` by default, "
        "where there is one.",
    )
    fence_timeout: Seconds = Field(
        10, gt=0, description="Time limit of one question to what cuts the power of a host: a BMC, Ironic, a URL."
    )
    fence_confirm_interval: Seconds = Field(
        2, gt=0, description="The power of a fenced host must be off, and off again so much later, to be believed."
    )
    never_fence: str = Field(
        "",
        description="Hosts that no recovery ever fences: names, or forms with `*` in them, with commas between. The "
        "hosts of your control plane belong here.",
    )
    remote_task_time_limit: Seconds = Field(300, gt=0, description="Longest wait for a task that is a URL.")
    recovery_attempts: int | None = Field(
        None,
        ge=1,
        description="Attempts at one recovery before it is `failed`. By default a host's go on until it expires "
        "(`notifications_expired_interval`), and an instance's or a process' end after 2.",
    )
    notifications_expired_interval: Seconds = Field(86400, gt=0, description="A recovery not done by then is `failed`.")

    invocation_time: Seconds = Field(50, gt=1, description="Work of one invocation; the rest is continued by another.")
    lease_time: Seconds = Field(
        15,
        gt=5,
        description="A recovery, or the evacuation of an instance, is free again when its invocation has given no sign "
        "of life for so long. With `nova_timeout` and `sweep_time` it says how long nothing is done after a crash of "
        "everything: 18 s by default.",
    )
    batch_lease_time: Seconds = Field(
        45,
        gt=5,
        description="The same for a batch of events to a sink, and for a batch of rows on its way to the archive.",
    )
    sweep_time: Seconds = Field(
        57,
        gt=1,
        lt=60,
        description="Work of one tick of `sweep`: the next one comes after a minute, and nothing is found in between.",
    )
    sweep_interval: Seconds = Field(
        5,
        gt=0,
        description="Pause between two looks of `sweep` at what is overdue; less when a lease ends sooner.",
    )
    sweep_grace: Seconds = Field(5, ge=0, description="How long due work is left to its own event.")

    os_region_name: str | None = Field(None, description="Region of Nova; the cloud configuration's by default.")
    os_interface: Literal["public", "internal", "admin"] = Field("public", description="Catalog interface of Nova.")
    nova_timeout: Seconds = Field(12, gt=0, description="Time limit of one request to Nova.")
    nova_late_request_limit: Seconds = Field(
        120,
        gt=0,
        description="How long after it was sent Nova may still carry out a request whose answer was lost: "
        "`rpc_response_timeout` of nova.conf (60 s) and the longest wait in front of Nova's API, as `timeout queue` of "
        "HAProxy (60 s in Kolla). No evacuation is asked for a second time before; a minute later than that after its "
        "end a recovery is checked once more.",
    )
    nova_list_timeout: Seconds = Field(60, gt=0, description="Time limit of one page of a list from Nova.")
    nova_report_interval: Seconds = Field(
        10,
        gt=0,
        description="Nova's own `report_interval`: a host whose instances are being evacuated is asked for once in it, "
        "and counts as alive after two reports in a row.",
    )
    nova_page_size: int = Field(500, ge=1, le=1000, description="Servers asked of Nova in one page.")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")

    @cached_property
    def trigger_keys(self) -> tuple[bytes, ...]:
        """The keys of internal events, the signing one first."""
        return _lines(self.trigger_key)

    @cached_property
    def task_keys(self) -> tuple[bytes, ...]:
        """The keys of what tasks that are URLs are sent, the signing one first."""
        return _lines(self.task_key)

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


SECRETS = {  # setting: the file that may hold it
    "database_url": "database-url",
    "trigger_key": "trigger-key",
    "task_key": "task-key",
    "cron_token": "cron-token",
    "metrics_token": "metrics-token",
    "consul_token_manage": "consul-token-manage",
    "consul_token_tenant": "consul-token-tenant",
    "consul_token_storage": "consul-token-storage",
    "event_sinks": "event-sinks",
}
_ALIASES = {"database_url": ("DATABASE_URL",), "trigger_sink": ("K_SINK",)}


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        Misconfigured: one line that names the setting and what is wrong with it.

    """
    values = {name[len(PREFIX) :].lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    for name in sorted(values):
        if name not in Settings.model_fields:
            raise Misconfigured(f"unknown setting {PREFIX}{name.upper()}: see docs/configuration.md for all names")
    for name, aliases in _ALIASES.items():
        for alias in aliases:
            if environ.get(alias):
                values.setdefault(name, environ[alias])
    _read_secrets(Path(values.get("secrets_dir", str(Settings.model_fields["secrets_dir"].default))), values)
    return _checked(values)


def _read_secrets(folder: Path, values: dict[str, str]) -> None:
    """Add what is mounted; a variable that says otherwise is an error, since nobody could tell which one counts."""
    for name, file in SECRETS.items():
        if not (folder / file).is_file():
            continue
        try:
            mounted = (folder / file).read_text().strip()
        except OSError as error:
            raise Misconfigured(f"the secret {folder / file} cannot be read: {error.strerror}") from None
        if values.setdefault(name, mounted) != mounted:
            raise Misconfigured(f"{PREFIX}{name.upper()} is set, and another one is mounted as {folder / file}")


def _checked(values: Mapping[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(dict(values))
    except ValidationError as error:
        raise Misconfigured(_one_line(error)) from None
    if not settings.database_url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise Misconfigured("DATABASE_URL must start with postgresql:// (and carry user, host and database name)")
    try:
        _ = urlsplit(settings.database_url.get_secret_value()).port
    except ValueError:
        raise Misconfigured("DATABASE_URL is no valid URL: is the port a number?") from None
    if settings.trigger_sink and not settings.trigger_sink.startswith(("http://", "https://")):
        raise Misconfigured("INSTANCE_HA_TRIGGER_SINK must be an http:// or https:// URL")
    try:
        _ = settings.sinks
    except ValueError as error:
        raise Misconfigured(f"{PREFIX}EVENT_SINKS: {error}") from None
    _check_lease(settings)
    _check_late_requests(settings)
    return settings


def _check_lease(settings: Settings) -> None:
    """Refuse a lease that could end during what is done under it; for a request to Nova it is made longer by itself."""
    checks = [
        ("lease_time", "trigger_timeout", settings.trigger_timeout),
        ("lease_time", "verify_interval", settings.verify_interval),
        # A batch of events is sent for a third of its lease; the last one may take its whole limit then.
        ("batch_lease_time", "event_timeout", 1.5 * settings.event_timeout),
    ]
    if settings.archive_bucket:  # of a request as a whole: connecting, and reading
        checks.append(("batch_lease_time", "archive_timeout", 2 * settings.archive_timeout))
    for lease, name, seconds in checks:
        held = getattr(settings, lease)
        if seconds >= held:
            raise Misconfigured(
                f"{PREFIX}{lease.upper()} ({held:g} s) must be longer than what is done under it without a sign of"
                f" life: {PREFIX}{name.upper()} allows {seconds:g} s"
            )


def _check_late_requests(settings: Settings) -> None:
    """Refuse to ask a second time while the first request is under way, and to give up before that is possible."""
    limit = settings.nova_late_request_limit
    if limit <= settings.nova_timeout:
        raise Misconfigured(
            f"{PREFIX}NOVA_LATE_REQUEST_LIMIT ({limit:g} s) must be longer than a request may last:"
            f" {PREFIX}NOVA_TIMEOUT allows {settings.nova_timeout:g} s"
        )
    if limit >= settings.evacuation_give_up_after:
        raise Misconfigured(
            f"{PREFIX}EVACUATION_GIVE_UP_AFTER ({settings.evacuation_give_up_after:g} s) must be longer than"
            f" {PREFIX}NOVA_LATE_REQUEST_LIMIT ({limit:g} s): a lost evacuation would never be asked for again"
        )


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "missing":
        where = f"{_ALIASES.get(name, (PREFIX + name.upper(),))[0]} or the secret file {SECRETS.get(name, name)}"
        return f"missing setting: set {where}"
    return f"{PREFIX}{name.upper()}: {first['msg']}"
