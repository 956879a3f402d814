"""Tasks that are URLs: a signed CloudEvent is posted, its answer is JSON (docs/custom-tasks.md)."""

import json
from dataclasses import asdict
from hashlib import sha256

import requests
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent

from instance_ha.events import signature
from instance_ha.models.custom import TaskFacts, UrlAnswer
from instance_ha.models.errors import RecoveryFailed, TaskUnavailable
from instance_ha.models.ports import Clock
from instance_ha.models.work import SOURCE

TYPE = "org.openstack.instanceha.task"
_STATES = frozenset({"done", "failed", "running"})
_LATER = frozenset({408, 429})
_LONGEST_ANSWER = 65536


class HttpUrlTasks:
    """Posts the event; who is asked twice must recognise the id."""

    def __init__(self, key: bytes, timeout: float, clock: Clock) -> None:
        self._key = key
        self._timeout = timeout
        self._clock = clock
        self._http = requests.Session()
        self._http.trust_env = False

    def ask(self, url: str, event_id: str, facts: TaskFacts) -> UrlAnswer:
        """Ask (``models.custom.UrlTasks``)."""
        headers, body = encode(event_id, facts, self._clock.now().isoformat(), self._key)
        try:
            with self._http.post(
                url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                return parse(response.status_code, response.raw.read(_LONGEST_ANSWER, decode_content=True))
        except (requests.RequestException, OSError) as error:
            raise TaskUnavailable(f"no answer: {type(error).__name__}") from None


def encode(event_id: str, facts: TaskFacts, time: str, key: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the signed event; the signature covers the body by its hash."""
    body = json.dumps(asdict(facts)).encode()
    attributes = {
        "id": event_id,
        "source": SOURCE,
        "type": TYPE,
        "subject": facts.notification_uuid,
        "time": time,
        "datacontenttype": "application/json",
        signature.DATA_HASH: sha256(body).hexdigest(),
    }
    attributes[signature.ATTRIBUTE] = signature.sign(attributes, key)
    headers, _ = to_binary(CloudEvent(attributes, asdict(facts)))
    return dict(headers), body


def parse(code: int, body: bytes) -> UrlAnswer:
    """Read an answer.

    Raises:
        TaskUnavailable: 5xx, 408 or 429: ask again.
        RecoveryFailed: any other that is no answer to our question.

    """
    if code >= 500 or code in _LATER:
        raise TaskUnavailable(f"it answered {code}")
    if not 200 <= code < 300:
        raise RecoveryFailed(f"the URL of the task answered {code}")
    try:
        answer = json.loads(body)
        state, message = answer["state"], answer.get("message") or ""
    except (ValueError, TypeError, KeyError, AttributeError):
        state, message = None, ""
    if not isinstance(state, str) or state not in _STATES:
        raise RecoveryFailed('the URL of the task must answer JSON with a "state": "done", "failed" or "running"')
    return UrlAnswer(state, str(message)[:1000])
