"""From a node to the name that its nova-compute has."""

import re
from collections.abc import Mapping
from typing import Any

from instance_ha.models.errors import Misconfigured
from instance_ha.settings import Settings

_FIELD = re.compile(r"\{(name|short|label:[^{}]+|annotation:[^{}]+)\}")


def check(settings: Settings, environ: Mapping[str, str]) -> None:
    """Check how the API server is reached, and how hosts are named.

    Raises:
        Misconfigured: something is wrong or missing.

    """
    rest = _FIELD.sub("", settings.kubernetes_host_name)
    if rest == settings.kubernetes_host_name or "{" in rest or "}" in rest:
        raise Misconfigured(
            "INSTANCE_HA_KUBERNETES_HOST_NAME must be made of {name}, {short}, {label:KEY} and {annotation:KEY}"
        )
    file = settings.kubernetes_config_file
    if file is not None and not file.is_file():
        raise Misconfigured(f"INSTANCE_HA_KUBERNETES_CONFIG_FILE names {file}, which is not there")
    if file is None and not environ.get("KUBERNETES_SERVICE_HOST"):
        raise Misconfigured(
            "no Kubernetes: this is not a pod, so set INSTANCE_HA_KUBERNETES_CONFIG_FILE to a kubeconfig"
        )


def host_name(template: str, metadata: Mapping[str, Any]) -> str | None:
    """Return the compute host name of a node; None when it lacks the label or annotation that holds it."""
    values = [_value(field, metadata) for field in _FIELD.findall(template)]
    if not all(values):
        return None
    given = iter(values)
    return _FIELD.sub(lambda _match: str(next(given)), template)


def _value(field: str, metadata: Mapping[str, Any]) -> str | None:
    name = str(metadata["name"])
    kind, _, key = field.partition(":")
    if kind == "label":
        return (metadata.get("labels") or {}).get(key)
    if kind == "annotation":
        return (metadata.get("annotations") or {}).get(key)
    return name if kind == "name" else name.partition(".")[0]
