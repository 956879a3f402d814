"""What is checked when a function starts, so that it does not fail later for what was clear at once.

Each check gets the settings and the environment, and looks at what it needs of them.
"""

from collections.abc import Callable, Iterator, Mapping
from configparser import Error as ConfigParserError
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

from instance_ha import masking
from instance_ha.models.errors import Misconfigured
from instance_ha.settings import Settings

Check = Callable[[Settings, Mapping[str, str]], None]

_SHORTEST_KEY = 16  # characters; one of fewer can be guessed
_VARIABLES = (
    "OS_PASSWORD",
    "OS_TOKEN",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
_CLOUD_FILES = ("OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE")
_AWS_FILE = "AWS_SHARED_CREDENTIALS_FILE"
_IN_AWS_FILE = ("aws_secret_access_key", "aws_session_token")


def check_secrets(settings: Settings, environ: Mapping[str, str]) -> None:
    """Check that keys and tokens cannot be guessed, and that each has one purpose; every secret is masked from now on.

    Raises:
        Misconfigured: a key can be guessed or has two purposes, or a secret is too short to be masked.

    """
    purposes: dict[bytes, str] = {}
    keys = {
        "trigger-key": settings.trigger_keys,
        "task-key": settings.task_keys,
        "console-key": settings.console_keys,
        "cron-token": settings.cron_tokens,
        "metrics-token": settings.metrics_tokens,
    }
    for secret, lines in keys.items():
        for line in lines:
            if len(line) < _SHORTEST_KEY:
                raise Misconfigured(
                    f"a line of the secret {secret} is shorter than {_SHORTEST_KEY} characters: openssl rand -hex 32"
                )
            if purposes.setdefault(line, secret) != secret:
                raise Misconfigured(f"the secrets {purposes[line]} and {secret} have a line in common: use two values")
    masking.hide(settings.secrets)
    masking.hide({f"the secret {name}": (environ.get(name) or "",) for name in _VARIABLES})
    for name, read in [*((name, _in_cloud_file) for name in _CLOUD_FILES), (_AWS_FILE, _in_aws_file)]:
        file = Path(environ.get(name) or "/")
        if file.is_file():
            masking.hide({f"a secret in {file}": read(_text(file))})


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}") from None


def _in_cloud_file(text: str) -> list[str]:
    """Find the secrets in a clouds.yaml; none in one that is broken, which its own reader will say."""
    try:
        import yaml
    except ImportError:  # of an image that reads no cloud
        return []
    try:
        return list(_secrets_in(yaml.safe_load(text)))
    except yaml.YAMLError:
        return []


def _secrets_in(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        yield from (
            str(value) for name, value in document.items() if name in masking.IN_CLOUDS_YAML and value is not None
        )
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from _secrets_in(part)


def _in_aws_file(text: str) -> list[str]:
    """Find the secrets in a file of AWS' keys, read as botocore does."""
    parser = RawConfigParser(default_section="")
    try:
        parser.read_string(text)
    except ConfigParserError:
        return []
    return [part[name] for part in parser.values() for name in _IN_AWS_FILE if part.get(name)]


def check_triggers(settings: Settings, _environ: Mapping[str, str]) -> None:
    """Check that a function can send triggers to others of ours.

    Raises:
        Misconfigured: it does not know where to, or has no key.

    """
    if not settings.trigger_sink:
        raise Misconfigured("nowhere to send triggers: set INSTANCE_HA_TRIGGER_SINK")
    if not settings.trigger_keys:
        raise Misconfigured(f"no trigger key: mount the secret trigger-key in {settings.secrets_dir}")


def check_policy(settings: Settings, _environ: Mapping[str, str]) -> None:
    """Check an operator's policy file; without one nothing can be wrong, and nothing is imported.

    Raises:
        Misconfigured: it makes no sense.

    """
    if settings.policy_file is not None:
        from instance_ha.policy.enforcer import Policy

        Policy(settings.policy_file)


def check_cloud(settings: Settings, environ: Mapping[str, str]) -> None:
    """Check that there is a cloud, as far as that shows without asking it.

    Raises:
        Misconfigured: there is none, or one that callers would reach without a token.

    """
    if settings.auth_strategy == "noauth2":
        if environ.get("OS_CLOUD") or environ.get("OS_AUTH_URL"):
            raise Misconfigured("INSTANCE_HA_AUTH_STRATEGY=noauth2 lets everybody in: not where a cloud is configured")
        if environ.get("OS_AUTH_TYPE") != "none" or not environ.get("OS_COMPUTE_ENDPOINT_OVERRIDE"):
            raise Misconfigured("no Nova for noauth2: set OS_AUTH_TYPE=none and OS_COMPUTE_ENDPOINT_OVERRIDE")
        return
    if not environ.get("OS_CLOUD") and not environ.get("OS_AUTH_URL"):
        raise Misconfigured("no cloud: set OS_CLOUD (with a clouds.yaml), or OS_AUTH_URL and the other OS_* of a user")
    file = environ.get("OS_CLIENT_CONFIG_FILE")
    if environ.get("OS_CLOUD") and file and not Path(file).is_file():
        raise Misconfigured(f"OS_CLIENT_CONFIG_FILE names {file}, which is not there")


def check_monitoring(settings: Settings, environ: Mapping[str, str]) -> None:
    """Check what monitor-poll will poll.

    Raises:
        Misconfigured: something is wrong or missing.

    """
    if settings.monitoring_driver == "consul":
        from instance_ha.consul.clusters import read

        read(settings)
    if settings.monitoring_driver == "kubernetes":
        from instance_ha.kubernetes.names import check

        check(settings, environ)


def check_fencing(settings: Settings, _environ: Mapping[str, str]) -> None:
    """Check the file that says how hosts are fenced; without one nothing is imported.

    Raises:
        Misconfigured: it makes no sense, or a URL in it would get events that nobody signs.

    """
    if settings.fencing_path is not None:
        from instance_ha.fencing.file import UrlMethod, read

        ladders = read(settings.fencing_path).hosts
        if not settings.task_keys and any(isinstance(one, UrlMethod) for entry in ladders for one in entry.ladder):
            raise Misconfigured(
                "a fence is a URL, and there is no key to sign what it is sent: mount the secret task-key"
            )


def check_console(settings: Settings, _environ: Mapping[str, str]) -> None:
    """Check that the sessions of the console can be encrypted.

    Raises:
        Misconfigured: there is no key.

    """
    if not settings.console_keys:
        raise Misconfigured(f"no key for sessions: mount the secret console-key in {settings.secrets_dir}")


def check_guests(settings: Settings, _environ: Mapping[str, str]) -> None:
    """Check how monitor-guests will reach the hosts.

    Raises:
        Misconfigured: it cannot.

    """
    if settings.guest_monitoring:
        from instance_ha.libvirt.addresses import check

        check(settings)
