"""Between triggers and CloudEvents 1.0 over HTTP: binary mode out, binary and structured mode in."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

from cloudevents.conversion import to_binary
from cloudevents.exceptions import GenericException
from cloudevents.http import CloudEvent, from_http

from instance_ha.models.errors import BadRequest
from instance_ha.models.triggers import FENCE, SOURCE, TASK, Kind, Trigger
from instance_ha.triggers import signature

# What stands in a header as it is; CloudEvents has all else percent-encoded.
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def encode(trigger: Trigger, now: datetime, key: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the signed event."""
    request_id = {"requestid": trigger.request_id} if trigger.request_id else {}
    return _signed(str(uuid4()), trigger.kind.type, trigger.subject, {"uuid": trigger.subject}, now, key, **request_id)


def encode_task(identity: str, data: dict[str, Any], now: datetime, key: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the signed event that asks for a task."""
    return _signed(identity, TASK, data["notification_uuid"], data, now, key)


def encode_fence(identity: str, host: str, action: str, now: datetime, key: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the signed event that asks for ``off``, or for the ``power`` of a host."""
    return _signed(identity, FENCE, host, {"host_name": host, "action": action}, now, key)


def _signed(
    identity: str, event_type: str, subject: str, data: dict[str, Any], now: datetime, key: bytes, **more: str
) -> tuple[dict[str, str], bytes]:
    attributes = {
        "id": identity,
        "source": SOURCE,
        "type": event_type,
        "subject": subject,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        **more,
    }
    attributes[signature.ATTRIBUTE] = signature.sign(attributes, data, key)
    headers, body = to_binary(CloudEvent(attributes, data))
    encoded = {name: quote(value, safe=_PLAIN) if name.startswith("ce-") else value for name, value in headers.items()}
    return encoded, bytes(body)


def read(headers: Mapping[str, str], body: bytes) -> tuple[Mapping[str, str], Any]:
    """Return attributes and data of an event, whose signature is not checked yet; every attribute is a text.

    Raises:
        BadRequest: it is no CloudEvent, or has characters that no database stores (NUL, lone surrogates).

    """
    try:
        event = from_http(dict(headers), body)
        data = event.get_data()
        if isinstance(data, str | bytes):  # a broker that took our JSON for text
            with suppress(ValueError):
                data = json.loads(data)
        # An SDK in between may have left the percents of a header in JSON, so they are undone in both modes.
        given = event.get_attributes().items()
        attributes = {name: _text(value) for name, value in given if value is not None}
        everything = json.dumps([attributes, data], ensure_ascii=False)
        everything.encode()
    except (GenericException, ValueError, TypeError, AttributeError, RecursionError):
        raise BadRequest("the request is not a CloudEvent") from None
    if "\\u0000" in everything:
        raise BadRequest("the event contains a NUL character")
    return attributes, data


def _text(value: Any) -> str:
    """Return an attribute as it was before it was written into a header."""
    if not isinstance(value, str):
        return json.dumps(value)
    with suppress(ValueError):  # UTF-8 in a header without percents comes to us as Latin-1
        value = value.encode("latin-1").decode()
    return unquote(value)


def decode(
    headers: Mapping[str, str],
    body: bytes,
    kinds: Iterable[Kind],
    keys: Sequence[bytes],
    now: Callable[[], datetime],
    max_age: float,
) -> Trigger:
    """Read and check an event.

    Raises:
        BadRequest: it is no CloudEvent, or of none of these kinds, or names nothing.
        Forbidden: it is not signed by us, or too old.

    """
    attributes, data = read(headers, body)
    kind = next((kind for kind in kinds if kind.type == attributes.get("type")), None)
    if kind is None:
        raise BadRequest("events of this type are not taken here")
    signature.check(attributes, data, keys, now, max_age)
    subject = attributes.get("subject")
    if not subject:
        raise BadRequest("the event has no subject")
    return Trigger(kind, subject, attributes.get("requestid"))
