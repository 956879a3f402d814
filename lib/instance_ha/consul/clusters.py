"""Which Consul clusters there are, and the strategy over them, read and checked when a function starts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from instance_ha.decide import strategy
from instance_ha.models.errors import Misconfigured
from instance_ha.models.health import Strategy
from instance_ha.settings import Settings

_PORT = 8500


@dataclass(frozen=True)
class Cluster:
    """The agent of one cluster that we ask."""

    network: str
    scheme: str
    host: str
    port: int
    token: str | None
    ca_file: Path | None
    certificate: tuple[str, str] | None
    timeout: float


def read(settings: Settings) -> tuple[tuple[Cluster, ...], Strategy]:
    """Return the clusters of the strategy, in its order.

    Raises:
        Misconfigured: something is wrong or missing.

    """
    found = {network: made for network in strategy.NETWORKS if (made := _cluster(settings, network))}
    if not found:
        raise Misconfigured("no Consul agent: set INSTANCE_HA_CONSUL_AGENT_MANAGE, _TENANT or _STORAGE")
    file = settings.consul_matrix_config_file
    rules = strategy.default(tuple(found)) if file is None else _read_file(file, tuple(found))
    return tuple(found[network] for network in rules.networks), rules


def _cluster(settings: Settings, network: str) -> Cluster | None:
    def of(name: str) -> Any:
        return getattr(settings, f"consul_{name}_{network}")

    if not of("agent"):
        return None
    scheme, host, port = _address(of("agent"), f"INSTANCE_HA_CONSUL_AGENT_{network.upper()}")
    certificate, key = of("cert_file"), of("key_file")
    for file in (of("ca_file"), certificate, key):
        if file is not None and not file.is_file():
            raise Misconfigured(f"the Consul cluster {network} is to use {file}, which is not there")
    if (certificate is None) != (key is None):
        raise Misconfigured(f"the client certificate for the Consul cluster {network} needs its key, and the other way")
    token = of("token")
    return Cluster(
        network=network,
        scheme=scheme,
        host=host,
        port=port,
        token=token.get_secret_value() if token else None,
        ca_file=of("ca_file"),
        certificate=None if certificate is None else (str(certificate), str(key)),
        timeout=of("timeout"),
    )


def _address(text: str, name: str) -> tuple[str, str, int]:
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("")
    plain = parts.path in {"", "/"} and not parts.query and parts.username is None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise Misconfigured(f"{name} must be an address, address:port, or an http(s) URL of these")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host, port or _PORT


def _read_file(file: Path, watched: tuple[str, ...]) -> Strategy:
    import yaml

    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise Misconfigured(f"the strategy file {file} cannot be read: {reason}") from None
    try:
        return strategy.read(document, watched)
    except Misconfigured as error:
        raise Misconfigured(f"{file}: {error}") from None
