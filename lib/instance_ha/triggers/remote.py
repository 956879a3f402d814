"""Asks tasks that are functions of others, by signed CloudEvents."""

import json
from typing import Any

import requests

from instance_ha.models.errors import CloudUnavailable
from instance_ha.models.ports import Clock
from instance_ha.models.triggers import RemoteAnswer
from instance_ha.triggers.codec import encode_task

_STATES = frozenset({"done", "failed", "running"})
_ACCEPTED = 300
_REFUSED = range(400, 500)


class HttpRemote:
    """Posts a task's event and reads the answer."""

    def __init__(self, key: bytes, timeout: float, clock: Clock) -> None:
        self._key = key
        self._timeout = timeout
        self._clock = clock
        self._http = requests.Session()
        self._http.trust_env = False

    def ask(self, url: str, identity: str, data: dict[str, Any]) -> RemoteAnswer:
        """Ask once.

        Raises:
            CloudUnavailable: there was no answer that could be understood; asking again may help.

        """
        headers, body = encode_task(identity, data, self._clock.now(), self._key)
        try:
            answer = self._http.post(url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False)
        except requests.RequestException as error:
            raise CloudUnavailable(f"task {url} did not answer: {type(error).__name__}") from error
        if answer.status_code in _REFUSED:
            return RemoteAnswer("failed", f"it answered {answer.status_code}")
        return _read(url, answer.status_code, answer.content)


def _read(url: str, code: int, body: bytes) -> RemoteAnswer:
    try:
        answer = json.loads(body)
        state, message = answer["state"], str(answer.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        state, message = None, ""
    if code >= _ACCEPTED or state not in _STATES:
        raise CloudUnavailable(f"task {url} answered {code} without a state")
    return RemoteAnswer(state, message[:1000])
