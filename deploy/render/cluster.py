"""What the functions stand on: namespace, accounts, settings, and the job that migrates the database."""

from typing import Any

from deploy.render import services
from deploy.render.site import NAME, SECRETS_DIR, Site

_RBAC = "rbac.authorization.k8s.io"
_OPENFAAS_ONLY = frozenset({"INSTANCE_HA_TRIGGER_SINK"})


def namespace(site: Site) -> dict[str, Any]:
    """Return the namespace; its pods keep to Kubernetes' strictest profile."""
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site.namespace, "labels": labels}}


def account(site: Site) -> dict[str, Any]:
    """Return an account that may do nothing, and whose pods hold no token."""
    return _account(site, NAME) | {"automountServiceAccountToken": False}


def node_reader(site: Site) -> list[dict[str, Any]]:
    """Return the account of the monitor where Kubernetes watches the hosts: it may list nodes, and nothing else."""
    metadata = {"name": services.NODE_READER}
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", **metadata}
    return [
        _account(site, services.NODE_READER),
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": metadata,
            "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", **_metadata(site, services.NODE_READER)}],
        },
    ]


def _account(site: Site, name: str) -> dict[str, Any]:
    pull = {"imagePullSecrets": [{"name": site.pull_secret}]} if site.pull_secret else {}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(site, name), **pull}


def settings(site: Site) -> dict[str, Any]:
    """Return the settings of the site; its broker takes the place of OpenFaaS' gateway."""
    values = {name: value for name, value in site.settings.items() if name not in _OPENFAAS_ONLY}
    data = dict(sorted((values | {"INSTANCE_HA_TRIGGER_SINK": site.broker}).items()))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(site, NAME), "data": data}


def migration(site: Site) -> dict[str, Any]:
    """Return the job that brings the database to the version of the images; it runs before they do."""
    function = next(f for f in site.functions if "database-url" in f.secrets)
    secrets = [services.secret("database-url"), services.secret("ca-certificates") | {"optional": True}]
    pod = {
        "restartPolicy": "Never",
        "serviceAccountName": NAME,
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "upgrade",
                "image": site.image(function),
                "command": ["instance-ha", "db", "upgrade"],
                "resources": {"requests": dict(function.requests), "limits": dict(function.limits)},
                "securityContext": services.SECURITY,
                "volumeMounts": [
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of the container
                    {"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True},
                ],
            }
        ],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "secrets", "projected": {"sources": [{"secret": source} for source in secrets]}},
        ],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(site, "db-upgrade"),
        "spec": {"backoffLimit": 3, "activeDeadlineSeconds": 600, "template": {"spec": pod}},
    }


def _metadata(site: Site, name: str) -> dict[str, str]:
    return {"name": name, "namespace": site.namespace}
