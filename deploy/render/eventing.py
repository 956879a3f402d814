"""Knative Eventing: a broker, a trigger an event type, a clock a schedule."""

from typing import Any

from instance_ha.durations import seconds

from deploy.render.site import NAME, Site
from stack import Function

_RETRIES = 5  # with the pauses below: about 6 s; what is not taken by then, sweep sends again soon
_FIRST_PAUSE = "PT0.2S"
_DEAD_LETTERS = "instance-ha.dead-letters"


def broker(site: Site) -> dict[str, Any]:
    """Return the broker, of the cluster's default class: nothing depends on what it keeps."""
    metadata = {"name": NAME, "namespace": site.namespace}
    return {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": metadata, "spec": {}}


def triggers(site: Site) -> list[dict[str, Any]]:
    """Return a trigger for each type of event."""
    return [_trigger(site, function, kind) for function in site.functions for kind in function.events]


def _trigger(site: Site, function: Function, kind: str) -> dict[str, Any]:
    delivery = {
        # A function works on an event before it answers; a broker that gave up earlier would only send it again.
        "timeout": f"PT{int(seconds(function.environment['exec_timeout']))}S",
        "retry": _RETRIES,
        "backoffPolicy": "exponential",
        "backoffDelay": _FIRST_PAUSE,
        **_dead_letters(site),
    }
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": kind.rsplit(".", 1)[-1], "namespace": site.namespace},
        "spec": {
            "broker": NAME,
            "filter": {"attributes": {"type": kind}},
            "subscriber": {"ref": _reference(function.name)},
            "delivery": delivery,
        },
    }


def _dead_letters(site: Site) -> dict[str, Any]:
    for function in site.functions:
        if path := function.annotations.get(_DEAD_LETTERS):
            return {"deadLetterSink": {"ref": _reference(function.name), "uri": path}}
    return {}


def clocks(site: Site) -> list[dict[str, Any]]:
    """Return a PingSource for each schedule."""
    return [_clock(site, function, function.schedule) for function in site.functions if function.schedule]


def _clock(site: Site, function: Function, schedule: str) -> dict[str, Any]:
    return {
        "apiVersion": "sources.knative.dev/v1",
        "kind": "PingSource",
        "metadata": {"name": function.name, "namespace": site.namespace},
        "spec": {
            "schedule": schedule,
            "timezone": "UTC",
            "contentType": "application/json",
            "data": "{}",
            "sink": {"ref": _reference(function.name)},
        },
    }


def _reference(name: str) -> dict[str, str]:
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": name}
