"""What the functions stand on: namespace, account, settings, network policy, and the job that migrates the database."""

from typing import Any

from deploy.render import services
from deploy.render.site import NAME, SECRETS_DIR, Site

_OPENFAAS_ONLY = frozenset({"INSTANCE_HA_TRIGGER_SINK"})
_CALLERS = ("knative-serving", "knative-eventing")


def namespace(site: Site) -> dict[str, Any]:
    """Return the namespace; its pods keep to Kubernetes' strictest profile."""
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site.namespace, "labels": labels}}


def account(site: Site) -> dict[str, Any]:
    """Return an account that may do nothing, and whose pods hold no token."""
    metadata = _metadata(site, NAME)
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False}


def settings(site: Site) -> dict[str, Any]:
    """Return the settings of the site; its broker takes the place of OpenFaaS' gateway."""
    values = {name: value for name, value in site.settings.items() if name not in _OPENFAAS_ONLY}
    data = dict(sorted((values | {"INSTANCE_HA_TRIGGER_SINK": site.broker}).items()))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(site, NAME), "data": data}


def policy(site: Site) -> dict[str, Any]:
    """Return who may reach the functions without public paths: Knative's own pods, and our namespace."""
    names = [function.name for function in site.inner]
    selector = {"matchExpressions": [{"key": "serving.knative.dev/service", "operator": "In", "values": names}]}
    others = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(_CALLERS)}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(site, "inner-functions"),
        "spec": {
            "podSelector": selector,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"namespaceSelector": others}, {"podSelector": {}}]}],
        },
    }


def migration(site: Site) -> dict[str, Any]:
    """Return the job that brings the database to the version of the images; it runs before they do."""
    function = next(f for f in site.functions if "database-url" in f.secrets)
    secret = {"secret": {"name": "database-url", "items": [{"key": "database-url", "path": "database-url"}]}}
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
            {"name": "secrets", "projected": {"sources": [secret]}},
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
