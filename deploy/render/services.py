"""Knative Services: one a function."""

from typing import Any

from instance_ha.durations import seconds
from instance_ha.settings import PREFIX

from deploy.render.site import NAME, SECRETS_DIR, Site
from stack import Function

OPTIONAL_SECRETS = "instance-ha.optional-secrets"
NODE_READER = "instance-ha-monitor"  # an account that may list the nodes
_LISTS_NODES = "instance-ha.lists-nodes"
_WATCHDOG_ONLY = frozenset({"exec_timeout", "read_timeout", "write_timeout"})
UID = 65532  # the user of the image


def service(site: Site, function: Function) -> dict[str, Any]:
    """Return the Service of a function."""
    spec = {
        "serviceAccountName": NODE_READER if _reads_nodes(site, function) else NAME,
        "containerConcurrency": int(function.environment["THREADS"]),
        "timeoutSeconds": int(seconds(function.environment["exec_timeout"])),
        "containers": [container(site, function)],
        "volumes": volumes(function),
    }
    # What is public is told by the HTTPRoute alone, which calls Knative's gateway inside the cluster.
    labels = {"networking.knative.dev/visibility": "cluster-local", "app.kubernetes.io/part-of": NAME}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": function.name, "namespace": site.namespace, "labels": labels},
        "spec": {
            "template": {
                "metadata": {"annotations": _scale(function), "labels": {"app.kubernetes.io/part-of": NAME}},
                "spec": spec,
            }
        },
    }


def _reads_nodes(site: Site, function: Function) -> bool:
    """Whether a function asks this cluster for its nodes, as the account of its pod."""
    settings = {**site.settings, **function.environment}
    here = (
        settings.get(f"{PREFIX}MONITORING_DRIVER") == "kubernetes" and f"{PREFIX}KUBERNETES_CONFIG_FILE" not in settings
    )
    return here and function.annotations.get(_LISTS_NODES) == "true"


def _scale(function: Function) -> dict[str, str]:
    annotations = {
        "autoscaling.knative.dev/min-scale": function.annotations["instance-ha.min-scale"],
        "autoscaling.knative.dev/max-scale": function.annotations["instance-ha.max-scale"],
    }
    if function.route is None:
        # All requests come from Knative's activator, so that the NetworkPolicy can name where they come from.
        annotations["autoscaling.knative.dev/target-burst-capacity"] = "-1"
    return annotations


def container(site: Site, function: Function) -> dict[str, Any]:
    """Return what runs."""
    own = {name: value for name, value in function.environment.items() if name not in _WATCHDOG_ONLY}
    own["exec_timeout"] = function.environment["exec_timeout"]  # work in flight is given that long to end
    return {
        "image": site.image(function),
        "ports": [{"containerPort": 8080}],
        "env": [{"name": name, "value": value} for name, value in sorted(own.items())],
        "envFrom": [{"configMapRef": {"name": NAME}}],
        "resources": {"requests": dict(function.requests), "limits": dict(function.limits)},
        # No startupProbe: Knative fills in no port there, and any would turn its own fast probing off. For the same
        # reason readiness has no period of its own; the minute of the liveness probe covers a slow start.
        "readinessProbe": _probe("/_/ready", timeoutSeconds=5),
        "livenessProbe": _probe("/_/health", periodSeconds=10, timeoutSeconds=5, failureThreshold=6),
        "securityContext": SECURITY,
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of the container
            {"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True},
        ],
    }


SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": UID,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def volumes(function: Function) -> list[dict[str, Any]]:
    """Return its /tmp and its secrets: Secrets with one key, each named as the file."""
    given = [secret(name) for name in function.secrets]
    given += [secret(name) | {"optional": True} for name in optional(function) if name not in function.secrets]
    return [
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        {"name": "secrets", "projected": {"sources": [{"secret": source} for source in given]}},
    ]


def optional(function: Function) -> list[str]:
    """Name the secrets that it gets where they exist."""
    return [name.strip() for name in function.annotations.get(OPTIONAL_SECRETS, "").split(",") if name.strip()]


def secret(name: str) -> dict[str, Any]:
    """Return the source of a mounted file: a Secret of one key, named as the file."""
    return {"name": name, "items": [{"key": name, "path": name}]}


def _probe(path: str, **times: int) -> dict[str, Any]:
    return {"httpGet": {"path": path}, **times}
