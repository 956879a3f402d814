"""Signed events: OpenFaaS leaves ``/function/NAME`` open to everybody who reaches the gateway.

The signature is an extension attribute, since brokers drop foreign headers. It covers what a handler acts on:
id, type, subject and time. Handlers may run twice without harm, so a replay within ``max_age`` does none either.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from instance_ha.models.errors import BadRequest, Forbidden
from instance_ha.models.text import utc

ATTRIBUTE = "signature"
DATA_HASH = "datahash"  # of events that others act on: SHA-256 of the body
_SIGNED = ("id", "source", "type", "subject", "time", "requestid")


def sign(attributes: Mapping[str, object], key: bytes) -> str:
    """Return the signature of an event's attributes."""
    signed = _SIGNED + ((DATA_HASH,) if DATA_HASH in attributes else ())
    text = "\n".join(str(attributes.get(name) or "") for name in signed)
    return hmac.new(key, text.encode(), sha256).hexdigest()


def check(attributes: Mapping[str, object], keys: Sequence[bytes], now: datetime, max_age: float) -> None:
    """Accept an event signed with one of ``keys`` and no older than ``max_age`` seconds.

    Raises:
        Forbidden: it is unsigned, altered or too old.
        BadRequest: its time is no time.

    """
    given = str(attributes.get(ATTRIBUTE) or "").encode(errors="replace")
    if not any(hmac.compare_digest(given, sign(attributes, key).encode()) for key in keys):
        raise Forbidden("the event is not signed with a known key")
    try:
        sent = utc(str(attributes.get("time")))
    except ValueError:
        raise BadRequest("the event has no valid time") from None
    age = (now - sent).total_seconds()
    if abs(age) > max_age:
        raise Forbidden(f"the event is {age:.0f} s old, more than {max_age:.0f} s")
