"""Durations as OpenFaaS and Go write them."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


def seconds(text: str) -> float:
    """Read a duration: ``60s``, ``1m30s``, or a whole number of seconds.

    Raises:
        ValueError: it is none.

    """
    if re.fullmatch(r"[0-9]+", text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration such as 60s or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
