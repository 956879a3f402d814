"""A function that follows instance HA: it tells a chat room when a recovery begins, and how it ends.

Deploy it as any function, and name its address among the sinks: INSTANCE_HA_EVENT_SINKS="chat=https://…".
What every consumer has to do is here: take the CloudEvent, drop what came before, look at the type, read the payload.
"""

import os
from collections import OrderedDict
from typing import Any

import functions_framework
import requests
from cloudevents.http import CloudEvent

_PREFIX = "org.openstack.instanceha."
_REMEMBERED = 10_000
_seen: OrderedDict[str, None] = OrderedDict()  # ids; a consumer with a database keeps them there


@functions_framework.cloud_event
def event_consumer(event: CloudEvent) -> None:
    """Take one event. An exception is answered with 500, and the event is sent again."""
    if event["id"] in _seen:
        return
    text = describe(str(event["type"]).removeprefix(_PREFIX), event.data["payload"]["masakari_object.data"])
    if text is not None:
        requests.post(os.environ["WEBHOOK_URL"], json={"text": text}, timeout=5).raise_for_status()
    _seen[event["id"]] = None
    while len(_seen) > _REMEMBERED:
        _seen.popitem(last=False)


def describe(event_type: str, about: dict[str, Any]) -> str | None:
    """Say in words what people want to know; None for everything else."""
    if event_type == "notification.process.start":
        return f"Recovery of host {about['source_host_uuid']} has begun ({about['type']})."
    if event_type == "notification.process.end":
        return f"Recovery of host {about['source_host_uuid']} is {about['status']}."
    if event_type == "notification.process.error":
        reason = about["fault"]["masakari_object.data"]["exception_message"]
        return f"Recovery of host {about['source_host_uuid']} is in {about['status']}: {reason}"
    if event_type == "vmove.error":
        reason = about["fault"]["masakari_object.data"]["exception_message"]
        return f"Instance {about['instance_name']} ({about['instance_uuid']}) did not move: {reason}"
    return None
