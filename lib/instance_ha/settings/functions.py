"""Postgres, triggers between functions, leases and ticks: what every function reads."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from instance_ha.settings.part import Count, Part, Seconds


class FunctionSettings(Part):
    """Postgres, triggers between functions, leases and ticks: what every function reads."""

    secrets_dir: Path = Field(
        Path("/var/openfaas/secrets"),
        description="Folder where the platform mounts the secrets, one file each.",
    )
    database_url: SecretStr = Field(
        description="Postgres, as postgresql://user:password@host:port/name. "
        "Also read from `DATABASE_URL` and from the secret `database-url`."
    )
    database_pool_size: Count = Field(4, ge=1, description="Most connections of one function instance.")
    trigger_key: SecretStr | None = Field(
        None,
        description="Keys that sign triggers, the events between our functions, one a line: the first signs, all are "
        "accepted. Read from the secret `trigger-key`.",
    )
    cron_token: SecretStr | None = Field(
        None,
        description="Bearer tokens, one a line. If set, each tick of a scheduled function must carry one "
        "(docs/security.md). Read from the secret `cron-token`.",
    )
    trigger_sink: str | None = Field(
        None,
        description="URL that takes triggers, as CloudEvents; `{function}` in it stands for the receiver's name. "
        "Also read from `K_SINK`.",
    )
    trigger_max_age: Seconds = Field(
        900, gt=0, description="Older triggers are refused: they are replayed, or the broker was stuck."
    )
    trigger_timeout: Seconds = Field(5, gt=0, description="Time limit for handing one trigger over.")
    trigger_answer_timeout: Seconds = Field(
        0.5,
        gt=0,
        description="A receiver that has the whole trigger and has not answered after this time is taken to work on "
        "it; a later answer is ignored.",
    )
    invocation_time: Seconds = Field(
        50, gt=1, description="Time limit of one invocation; another one continues the work."
    )
    lease_time: Seconds = Field(
        15,
        gt=5,
        description="The lease of a recovery, or of the evacuation of an instance: if its invocation does not renew "
        "it for this time, another one takes over. With `nova_timeout` and `sweep_time` it decides how long nothing "
        "is done after a crash of everything: 18 s by default.",
    )
    batch_lease_time: Seconds = Field(
        45,
        gt=5,
        description="The lease of a batch of events to a sink, and of a batch of rows that is archived.",
    )
    sweep_time: Seconds = Field(
        57,
        gt=1,
        lt=60,
        description="Time for which one tick of `sweep` works. The next tick comes after a minute; nothing is "
        "checked in between.",
    )
    sweep_interval: Seconds = Field(
        5,
        gt=0,
        description="Pause between two checks of `sweep` for overdue rows; shorter when a lease ends sooner.",
    )
    sweep_grace: Seconds = Field(
        5, ge=0, description="How long a due row waits for its own event before `sweep` sends it again."
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="Bearer tokens for `/_/metrics`, one a line; without one the path does not exist. "
        "Read from the secret `metrics-token`.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level that is logged.")
