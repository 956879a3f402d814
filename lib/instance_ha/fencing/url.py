"""A function of an operator's own: it gets a signed CloudEvent, and answers with the power of the host."""

import json
from datetime import datetime
from uuid import uuid4

from instance_ha.fencing.file import UrlMethod
from instance_ha.models.errors import FenceRefused, FenceUnavailable
from instance_ha.models.fencing import Power
from instance_ha.posting import NotAnswered, Poster
from instance_ha.triggers.codec import encode_fence

_CONFLICT = 409
_PASSING = frozenset({408, 429})


class Url:
    """One host, by its name."""

    def __init__(self, method: UrlMethod, host: str, key: bytes, now: datetime, timeout: float) -> None:
        """Make one whose questions take ``timeout`` seconds each, signed with ``key`` as of ``now``."""
        self._url = method.url
        self._host = host
        self._key = key
        self._now = now
        self._timeout = timeout
        self._poster = Poster(timeout)

    def off(self) -> str:
        """Ask for the power to be cut.

        Raises:
            FenceRefused: it was answered 4xx.
            FenceUnavailable: no answer, or a trouble of its own.

        """
        status, _ = self._ask("off")
        return "declined: 409" if status == _CONFLICT else "accepted"

    def power(self) -> Power:
        """Say what the power is now."""
        _, body = self._ask("power")
        try:
            return Power(json.loads(body)["power"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise FenceUnavailable("it gave an answer without a power") from None

    def _ask(self, action: str) -> tuple[int, bytes]:
        headers, body = encode_fence(str(uuid4()), self._host, action, self._now, self._key)
        try:
            response = self._poster.post(self._url, body, headers, self._timeout)
        except NotAnswered as error:
            raise FenceUnavailable(f"it did not answer: {error}") from None
        if response.status >= 500 or response.status in _PASSING:
            raise FenceUnavailable(f"it answered {response.status}")
        if response.status >= 300 and response.status != _CONFLICT:
            raise FenceRefused(f"it answered {response.status}")
        return response.status, response.body
