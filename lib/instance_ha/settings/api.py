"""What the functions of the API read; names are those of masakari.conf where it has them."""

from typing import Literal

from pydantic import Field

from instance_ha.settings.part import Count, Part, Seconds


class ApiSettings(Part):
    """What the functions of the API read; names are those of masakari.conf where it has them."""

    osapi_max_limit: Count = Field(1000, ge=1, description="Most items in one page of a list.")
    osapi_masakari_link_prefix: str | None = Field(None, description="Base of the links in version documents.")
    max_request_body_size: Count = Field(114688, ge=1, description="Larger request bodies are refused with 413.")
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
        None, description="Keystone's public URL for callers without a valid token; not set: they get no address."
    )
    token_cache_time: Count = Field(
        300, ge=-1, description="Seconds for which a checked token is cached; -1: no cache."
    )
    refused_tokens_per_minute: Count = Field(
        120,
        ge=1,
        description="Limit of tokens that Keystone refuses within a minute. Beyond it an instance answers 503 to "
        "tokens that it has not accepted before, until the minute is over.",
    )
    memcached_servers: str | None = Field(
        None,
        description="host:port,… of memcached servers that share checked tokens between function instances; not "
        "set: each has its own cache.",
    )
    duplicate_notification_detection_interval: Seconds = Field(
        180, ge=0, description="Equal reports within this time are one failure; the second is refused with 409."
    )
