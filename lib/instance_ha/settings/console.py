"""What the function console reads: its key, how long a login lasts, how often a page refreshes itself."""

from pydantic import Field, SecretStr

from instance_ha.settings.part import Count, Part, Seconds


class ConsoleSettings(Part):
    """What the function `console` reads (docs/console.md)."""

    console_key: SecretStr | None = Field(
        None,
        description="Keys that encrypt the sessions of the console, one a line: the first encrypts, all are accepted. "
        "Read from the secret `console-key`.",
    )
    console_idle_time: Seconds = Field(1800, gt=0, description="A session ends when nobody has clicked for so long.")
    console_session_time: Seconds = Field(
        28800, gt=0, description="A session ends so long after its login, and no later than its token."
    )
    console_refresh_interval: Seconds = Field(
        5, ge=1, description="How often the live part of a page refreshes itself; that does not make a session longer."
    )
    console_over_http: bool = Field(
        False,
        description="Let browsers send the cookie of a session over plain http, too: for a demo on this machine.",
    )
    console_refused_logins_per_minute: Count = Field(
        30,
        ge=1,
        description="Logins that Keystone has refused within a minute, after which an instance lets in only users that "
        "have logged in before: 503 for others until the minute is over.",
    )
