"""Signed events: OpenFaaS leaves ``/function/NAME`` open to everybody who reaches the gateway.

The signature is an extension attribute, since brokers drop foreign headers. It covers the attributes that matter, and
the data: as canonical JSON, since brokers may write JSON anew. Handlers may run twice without harm, so a replay
within ``max_age`` does none either.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from instance_ha.models.errors import BadRequest, Forbidden
from instance_ha.models.text import utc

ATTRIBUTE = "signature"
_SIGNED = ("id", "source", "type", "subject", "time", "requestid")
_CLOCKS_APART = 60.0  # seconds: an event may come from a clock that is so far ahead


def sign(attributes: Mapping[str, object], data: Any, key: bytes) -> str:
    """Return the signature of an event's attributes and of its data.

    Raises:
        ValueError: the data cannot be written as JSON.

    """
    lines = [str(attributes.get(name) or "") for name in _SIGNED]
    try:
        lines.append(json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False))
    except (TypeError, RecursionError) as error:
        raise ValueError("the data is no JSON") from error
    return hmac.new(key, "\n".join(lines).encode(errors="replace"), sha256).hexdigest()


def check(attributes: Mapping[str, object], data: Any, keys: Sequence[bytes], now: datetime, max_age: float) -> None:
    """Accept an event signed with one of ``keys``, no older than ``max_age`` seconds, and not from the future.

    Raises:
        Forbidden: it is unsigned, altered or too old.
        BadRequest: its data is no JSON, or its time no time.

    """
    given = str(attributes.get(ATTRIBUTE) or "").encode(errors="replace")
    try:
        known = [hmac.compare_digest(given, sign(attributes, data, key).encode()) for key in keys]
    except ValueError:
        raise BadRequest("the data of the event is no JSON") from None
    if not any(known):
        raise Forbidden("the event is not signed with a known key")
    try:
        sent = utc(str(attributes.get("time")))
    except ValueError:
        raise BadRequest("the event has no valid time") from None
    age = (now - sent).total_seconds()
    if age > max_age:
        raise Forbidden(f"the event is {age:.0f} s old, more than {max_age:.0f} s")
    if age < -_CLOCKS_APART:
        raise Forbidden(f"the event is from the future, by {-age:.0f} s")
