"""Schedulers for OpenFaaS that can prove who they are: its own cron-connector sends no token (docs/security.md)."""

from typing import Any

from deploy.render import services
from deploy.render.site import SECRETS_DIR, Site
from stack import Function

NAMESPACE = "openfaas-fn"
_TOKEN = "cron-token"  # noqa: S105 - the name of a secret


def cron_jobs(site: Site) -> list[dict[str, Any]]:
    """Return a CronJob for each schedule."""
    return [_cron_job(site, function, function.schedule) for function in site.functions if function.schedule]


def _cron_job(site: Site, function: Function, schedule: str) -> dict[str, Any]:
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "tick",
                "image": site.image(function),
                "command": ["instance-ha", "tick", f"http://{site.openfaas}/function/{function.name}"],
                "resources": {"requests": dict(function.requests), "limits": dict(function.limits)},
                "securityContext": services.SECURITY,
                "volumeMounts": [{"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True}],
            }
        ],
        "volumes": [{"name": "secrets", "secret": {"secretName": _TOKEN}}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": f"tick-{function.name}", "namespace": NAMESPACE},
        "spec": {
            "schedule": schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 30,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {
                "spec": {"backoffLimit": 0, "activeDeadlineSeconds": 75, "template": {"spec": pod}},
            },
        },
    }
