"""How a broker writes an event anew: Knative's parses each with CloudEvents' Go SDK, and sends what comes of it."""

from collections.abc import Mapping
from datetime import UTC, datetime

_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


def rewritten(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an event in binary mode as they arrive behind a broker; those of other requests stay.

    The time loses the zeros at its end and gets a Z, names get capitals, the content type a charset, foreign headers
    are gone, and there are new attributes.
    """
    given = {name.lower(): value for name, value in headers.items()}
    if "ce-specversion" not in given:
        return dict(headers)
    kept = {name.title(): value for name, value in given.items() if name.startswith("ce-")}
    added = {"Ce-Traceparent": _TRACE, "Ce-Knativearrivaltime": "2026-11-26T11:37:00.2Z"}
    content = {"Content-Type": f"{given.get('content-type', 'application/json')}; charset=utf-8"}
    return {**kept, "Ce-Time": _nanoseconds(given["ce-time"]), **added, **content}


def _nanoseconds(text: str) -> str:
    """Write a time as Go's RFC3339Nano does."""
    time = datetime.fromisoformat(text).astimezone(UTC)
    fraction = f".{time.microsecond:06}".rstrip("0").rstrip(".")
    return f"{time:%Y-%m-%dT%H:%M:%S}{fraction}Z"
