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
    console_idle_time: Seconds = Field(1800, gt=0, description="A session ends after this time without a click.")
    console_session_time: Seconds = Field(
        28800, gt=0, description="A session ends this long after the login, and not later than its token."
    )
    console_refresh_interval: Seconds = Field(
        5,
        ge=1,
        description="Seconds between two refreshes of the live part of a page; a refresh does not prolong a session.",
    )
    console_over_http: bool = Field(
        False,
        description="Let browsers send the session cookie over plain http, too: for a demo on one machine.",
    )
    console_refused_logins_per_minute: Count = Field(
        30,
        ge=1,
        description="Limit of logins that Keystone refuses within a minute. Beyond it an instance answers 503 to "
        "users that have not logged in before, until the minute is over.",
    )
