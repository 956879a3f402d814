"""Microversions."""

import re

from flask import Response

from instance_ha.models.errors import BadRequest, NotAcceptable

HEADER = "OpenStack-API-Version"
SERVICE = "instance-ha"
LOWEST = (1, 0)
HIGHEST = (1, 3)

_FORMAT = re.compile(r"([1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


def text(version: tuple[int, int]) -> str:
    """Write a version."""
    return f"{version[0]}.{version[1]}"


def negotiate(header: str | None) -> tuple[int, int]:
    """Choose the version that a request asks for.

    Raises:
        BadRequest: it is no version.
        NotAcceptable: there is no such version here.

    """
    wanted = _wanted(header or "")
    if wanted is None:
        return LOWEST
    if wanted == "latest":
        return HIGHEST
    match = _FORMAT.fullmatch(wanted)
    if match is None:
        raise BadRequest(f"API version {wanted[:40]} is not of the form MAJOR.MINOR")
    version = (int(match[1]), int(match[2]))
    if not LOWEST <= version <= HIGHEST:
        raise NotAcceptable(f"version {wanted} is not served: {text(LOWEST)} to {text(HIGHEST)} are")
    return version


def _wanted(header: str) -> str | None:
    for entry in header.split(","):
        service, _, version = entry.strip().partition(" ")
        if service == SERVICE and version.strip():
            return version.strip()
    return None


def mark(response: Response, version: tuple[int, int]) -> None:
    """Tell which version answered."""
    response.headers[HEADER] = f"{SERVICE} {text(version)}"
    response.headers["Vary"] = HEADER
