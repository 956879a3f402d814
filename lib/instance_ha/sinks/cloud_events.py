"""An event of ours as a CloudEvent: binary mode over HTTP, structured mode to SNS and SQS."""

import json
from typing import Any

from cloudevents.conversion import to_binary, to_dict
from cloudevents.http import CloudEvent

from instance_ha.models.events import EVENT_PREFIX, Event
from instance_ha.models.triggers import SOURCE


def cloud_event(event: Event) -> CloudEvent:
    """Wrap an event."""
    attributes = {
        "id": event.event_id,
        "source": SOURCE,
        "type": f"{EVENT_PREFIX}{event.event_type}",
        "subject": event.subject,
        "time": event.created_at.isoformat(),
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, json.loads(event.body))


def binary(event: Event) -> tuple[dict[str, str], bytes]:
    """Return headers and body."""
    headers, body = to_binary(cloud_event(event), _compact)
    return dict(headers), bytes(body)


def structured(event: Event) -> str:
    """Return the event as one JSON text."""
    return json.dumps(to_dict(cloud_event(event)), ensure_ascii=False)


def _compact(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()
