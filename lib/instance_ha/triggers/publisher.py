"""Hands events to the sink: a Knative broker, which answers at once, or OpenFaaS' ``/function/{function}``.

The latter answers when the function has done its work, up to a minute later. Whoever has the whole request and is still
silent after ``answer_timeout`` has the event: it works on, and the sender goes on as well. A lost event costs time and
nothing else: every row says itself when it is due, and ``sweep`` sends its event again.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

from instance_ha import log
from instance_ha.models.metrics import TRIGGERS_UNSENT
from instance_ha.models.ports import Clock, Metrics
from instance_ha.models.triggers import Trigger
from instance_ha.triggers.codec import encode

_AT_ONCE = 8


class HttpPublisher:
    """Posts events, on connections that are kept."""

    def __init__(
        self, sink: str, key: bytes, timeout: float, answer_timeout: float, clock: Clock, metrics: Metrics
    ) -> None:
        self._sink = sink
        self._key = key
        self._timeouts = (timeout, answer_timeout)
        self._clock = clock
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="publish")
        self._http = requests.Session()
        self._http.trust_env = False
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(pool_maxsize=_AT_ONCE))

    def publish(self, triggers: Iterable[Trigger]) -> None:
        """Send the events, several at once; what cannot be sent is logged and left to ``sweep``."""
        for _ in self._pool.map(self._send, triggers):
            pass

    def _send(self, trigger: Trigger) -> None:
        headers, body = encode(trigger, self._clock.now(), self._key)
        url = self._sink.replace("{function}", trigger.kind.function)
        try:
            answer = self._http.post(url, data=body, headers=headers, timeout=self._timeouts)
            answer.raise_for_status()
        except requests.ReadTimeout:  # only ever after the request was sent: before, it is a ConnectionError
            log.get().debug("event handed over", type=trigger.kind.type, subject=trigger.subject)
        except requests.RequestException as error:
            self._metrics.count(TRIGGERS_UNSENT, type=trigger.kind.type)
            log.get().warning(
                "event not sent", type=trigger.kind.type, subject=trigger.subject, error=type(error).__name__
            )
