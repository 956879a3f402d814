"""Nova's microversions: which one a request asks for."""

import re
from typing import NamedTuple

from werkzeug.datastructures import Headers

from instance_ha_simulator.cloud.errors import ApiError, bad_request


class Version(NamedTuple):
    """A microversion; compares by number."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


MIN = Version(2, 1)
MAX = Version(2, 95)


def requested(headers: Headers) -> Version:
    """Return the microversion that the request's headers ask for."""
    text = _header(headers)
    if text is None:
        return MIN
    if text == "latest":
        return MAX
    match = re.fullmatch(r"([1-9]\d*)\.([1-9]\d*|0)", text)
    if match is None:
        raise bad_request(f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum.")
    return Version(int(match[1]), int(match[2]))


def supported(version: Version) -> Version:
    """Return the version if it is in range, or answer 406."""
    if not MIN <= version <= MAX:
        raise ApiError(406, f"Version {version} is not supported by the API. Minimum is {MIN} and maximum is {MAX}.")
    return version


def _header(headers: Headers) -> str | None:
    for part in headers.get("OpenStack-API-Version", "").split(","):
        service, _, text = part.strip().partition(" ")
        if service == "compute" and text:
            return text.strip()
    return headers.get("X-OpenStack-Nova-API-Version")
