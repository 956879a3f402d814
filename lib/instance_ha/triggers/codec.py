"""Between our triggers and CloudEvents 1.0 over HTTP: binary mode out, binary and structured mode in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from cloudevents.conversion import to_binary
from cloudevents.exceptions import GenericException
from cloudevents.http import CloudEvent, from_http

from instance_ha.models.errors import BadRequest
from instance_ha.models.triggers import SOURCE, TASK, Kind, Trigger
from instance_ha.triggers import signature


def encode(trigger: Trigger, now: datetime, key: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the signed event."""
    attributes = {
        "id": str(uuid4()),
        "source": SOURCE,
        "type": trigger.kind.type,
        "subject": trigger.subject,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        **({"requestid": trigger.request_id} if trigger.request_id else {}),
    }
    return _signed(attributes, {"uuid": trigger.subject}, key)


def encode_task(identity: str, data: dict[str, Any], now: datetime, key: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the signed event that asks for a task."""
    attributes = {
        "id": identity,
        "source": SOURCE,
        "type": TASK,
        "subject": data["notification_uuid"],
        "time": now.isoformat(),
        "datacontenttype": "application/json",
    }
    return _signed(attributes, data, key)


def _signed(attributes: dict[str, str], data: dict[str, Any], key: bytes) -> tuple[dict[str, str], bytes]:
    attributes[signature.ATTRIBUTE] = signature.sign(attributes, data, key)
    headers, body = to_binary(CloudEvent(attributes, data))
    return dict(headers), bytes(body)


def read(headers: Mapping[str, str], body: bytes) -> tuple[Mapping[str, Any], Any]:
    """Return attributes and data of an event, which nobody has vouched for yet.

    Raises:
        BadRequest: it is no CloudEvent.

    """
    try:
        event = from_http(dict(headers), body)
    except (GenericException, ValueError, TypeError, AttributeError, RecursionError):
        raise BadRequest("the request is not a CloudEvent") from None
    return event.get_attributes(), event.get_data()


def decode(
    headers: Mapping[str, str], body: bytes, kinds: Iterable[Kind], keys: Sequence[bytes], now: datetime, max_age: float
) -> Trigger:
    """Read and check an event.

    Raises:
        BadRequest: it is no CloudEvent, or of none of these kinds, or names nothing.
        Forbidden: it is not signed by us, or too old.

    """
    attributes, data = read(headers, body)
    kind = next((kind for kind in kinds if kind.type == attributes.get("type")), None)
    if kind is None:
        raise BadRequest(f"events of the type {attributes.get('type')} are not taken here")
    signature.check(attributes, data, keys, now, max_age)
    if not attributes.get("subject"):
        raise BadRequest("the event has no subject")
    return Trigger(kind, attributes["subject"], attributes.get("requestid"))
