"""Checks objects of Kubernetes itself against the models of its client package: no unknown field, no wrong type."""

import re
from typing import Any

from kubernetes.client import models

_PLAIN: dict[str, type | tuple[type, ...]] = {
    "str": str, "int": int, "bool": bool, "float": (int, float), "object": object,
}  # fmt: skip
CORE = {
    "Namespace": "V1Namespace",
    "ServiceAccount": "V1ServiceAccount",
    "ConfigMap": "V1ConfigMap",
    "ClusterRole": "V1ClusterRole",
    "ClusterRoleBinding": "V1ClusterRoleBinding",
    "NetworkPolicy": "V1NetworkPolicy",
    "Job": "V1Job",
    "CronJob": "V1CronJob",
}


def mistakes(value: Any, kind: str, where: str = "") -> list[str]:
    """Return what is wrong with a value of this kind."""
    if found := re.fullmatch(r"[Ll]ist\[(.*)\]", kind):
        if not isinstance(value, list):
            return [f"{where}: no list"]
        return [text for n, item in enumerate(value) for text in mistakes(item, found[1], f"{where}[{n}]")]
    if found := re.fullmatch(r"[Dd]ict[(\[](\w+), (.*)[)\]]", kind):
        if not isinstance(value, dict):
            return [f"{where}: no mapping"]
        return [text for key, item in value.items() for text in mistakes(item, found[2], f"{where}.{key}")]
    if kind in _PLAIN:
        return [] if isinstance(value, _PLAIN[kind]) else [f"{where}: {value!r} is no {kind}"]
    model = getattr(models, kind)
    types = {model.attribute_map[name]: of for name, of in model.openapi_types.items()}
    unknown = [f"{where}: unknown field {key}" for key in value if key not in types]
    known = ((key, item) for key, item in value.items() if key in types)
    return unknown + [text for key, item in known for text in mistakes(item, types[key], f"{where}.{key}")]
