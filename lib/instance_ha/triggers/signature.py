"""Signed events: OpenFaaS leaves ``/function/NAME`` open to every caller that reaches the gateway.

The signature is an extension attribute, since brokers drop foreign headers. It covers what the event means, not how it
is spelled, since brokers parse an event and write it anew: a time becomes another text of the same second, JSON gets
other white space, another order, ``1.0`` for ``1``. Attributes that a broker adds do not count. Handlers may run twice
without harm, so a replay within ``max_age`` does none either.
"""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from werkzeug.datastructures import Headers

from instance_ha.models.errors import BadRequest, Forbidden
from instance_ha.models.text import utc

ATTRIBUTE = "signature"
_SIGNED = ("id", "source", "type", "subject", "requestid")
_CLOCKS_APART = 60.0  # seconds: an event may come from a clock that is so far ahead


def expect(headers: Headers) -> None:
    """Let an event come whose head has a signature, or says that one is in the body (CloudEvents' structured mode).

    Raises:
        Forbidden: it cannot have one.

    """
    structured = headers.get("Content-Type", "").strip().lower().startswith("application/cloudevents+json")
    if not structured and not headers.get(f"ce-{ATTRIBUTE}"):
        raise Forbidden("the event is not signed with a known key")


def sign(attributes: Mapping[str, object], data: Any, key: bytes) -> str:
    """Return the signature of an event's attributes and of its data.

    Raises:
        ValueError: the data cannot be written as JSON, or the time is none.

    """
    lines = [str(attributes.get(name) or "") for name in _SIGNED]
    lines.append(str(_second(attributes)))
    try:
        lines.append(json.dumps(_plain(data), sort_keys=True, separators=(",", ":"), allow_nan=False))
    except (TypeError, RecursionError) as error:
        raise ValueError("the data is not JSON") from error
    return hmac.new(key, "\n".join(lines).encode(errors="replace"), sha256).hexdigest()


def _second(attributes: Mapping[str, object]) -> int:
    """Return the time in whole seconds since 1970: SDKs keep nine digits of a second, six, or three."""
    return int(utc(str(attributes.get("time"))).timestamp() // 1)


def _plain(data: Any) -> Any:
    """Write numbers in one way: languages with one kind of number make no difference between 1 and 1.0."""
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


def check(
    attributes: Mapping[str, object], data: Any, keys: Sequence[bytes], now: Callable[[], datetime], max_age: float
) -> None:
    """Accept an event signed with one of ``keys``, no older than ``max_age`` seconds, and not from the future.

    ``now`` is called only for an event that is signed: Postgres may have to tell the time.

    Raises:
        Forbidden: it is unsigned, altered or too old.
        BadRequest: its data is no JSON, or its time no time.

    """
    given = str(attributes.get(ATTRIBUTE) or "").encode(errors="replace")
    try:
        known = [hmac.compare_digest(given, sign(attributes, data, key).encode()) for key in keys]
        signed_at = _second(attributes)
    except ValueError:
        raise BadRequest("the event has no valid time, or its data is not JSON") from None
    if not any(known):
        raise Forbidden("the event is not signed with a known key")
    age = now().timestamp() - signed_at
    if age > max_age:
        raise Forbidden(f"the event is {age:.0f} s old, more than {max_age:.0f} s")
    if age < -_CLOCKS_APART:
        raise Forbidden(f"the event is from the future, by {-age:.0f} s")
