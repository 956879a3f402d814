"""Asks tasks that are functions of others, by signed CloudEvents."""

import json
from datetime import datetime
from typing import Any

from instance_ha.models.errors import CloudUnavailable
from instance_ha.models.triggers import RemoteAnswer
from instance_ha.posting import NotAnswered, Poster
from instance_ha.triggers.codec import encode_task

_STATES = frozenset({"done", "failed", "running"})
_ACCEPTED = 300
_REFUSED = range(400, 500)
_MOST = 65536  # bytes of an answer


class HttpRemote:
    """Posts a task's event and reads the answer."""

    def __init__(self, key: bytes, timeout: float) -> None:
        """Make one that waits ``timeout`` seconds for a whole answer."""
        self._key = key
        self._timeout = timeout
        self._poster = Poster(timeout, most=_MOST)

    def ask(self, url: str, identity: str, data: dict[str, Any], now: datetime) -> RemoteAnswer:
        """Ask once, ``now`` by Postgres' clock.

        Raises:
            CloudUnavailable: there was no answer that could be understood; asking again may help.

        """
        headers, body = encode_task(identity, data, now, self._key)
        try:
            response = self._poster.post(url, body, headers, self._timeout)
        except NotAnswered as error:
            raise CloudUnavailable(f"task {url} did not answer: {error}") from None
        if response.status in _REFUSED:
            return RemoteAnswer("failed", f"it answered {response.status}")
        if not response.complete:
            raise CloudUnavailable(f"task {url} answered more than {_MOST} bytes")
        try:
            answer = json.loads(response.body)
            state, message = answer["state"], str(answer.get("message") or "")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            state, message = None, ""
        if response.status >= _ACCEPTED or state not in _STATES:
            raise CloudUnavailable(f"task {url} answered {response.status} without a state")
        return RemoteAnswer(state, message[:1000])
