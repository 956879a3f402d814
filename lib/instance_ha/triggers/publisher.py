"""Hands triggers over: to a Knative broker, or to OpenFaaS' ``/function/{function}``.

Both may answer when the function has done its work, up to a minute later, and with its failure: OpenFaaS always, and
Knative's default broker too. So nobody waits for that. A receiver that has the whole request and is silent after
``answer_timeout`` has the trigger: the publisher goes on, and what is answered later does not count, neither as a
success nor as a loss. The connection is kept open meanwhile: a broker whose sender hangs up cancels the delivery.

Callers of the API wait for none of it: they get their answer, and the triggers go out beside it.

A lost trigger costs time and nothing else: every row says itself when it is due, and ``sweep`` sends its trigger again.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from socket import socket

from instance_ha import log
from instance_ha.models.metrics import TRIGGERS_UNSENT
from instance_ha.models.ports import Metrics
from instance_ha.models.triggers import Trigger
from instance_ha.posting import AnsweredLate, NotAnswered, Poster
from instance_ha.triggers.codec import encode

_CONCURRENT = 32
_LONGEST = 120.0  # seconds that a connection is kept for a late answer; no invocation takes longer
_MOST = 256  # such connections


class HttpPublisher:
    """Posts triggers."""

    def __init__(
        self, sink: str, key: bytes, timeout: float, answer_timeout: float, metrics: Metrics, *, beside: int = 0
    ) -> None:
        """Make one: it takes ``timeout`` seconds at most to send, and waits ``answer_timeout`` for an answer then.

        With ``beside`` its callers go on while so many triggers are sent, and more are left to ``sweep``. All are sent
        before the process ends.
        """
        self._sink = sink
        self._key = key
        self._timeout = timeout
        self._answer_timeout = answer_timeout
        self._metrics = metrics
        self._poster = Poster(timeout, kept=_CONCURRENT)
        self._pool = ThreadPoolExecutor(_CONCURRENT, thread_name_prefix="publish")
        self._remaining = threading.BoundedSemaphore(beside) if beside else None
        self._lock = threading.Lock()
        self._late: deque[tuple[float, socket]] = deque()

    def publish(self, triggers: Iterable[Trigger], now: datetime) -> None:
        """Send triggers, several at once; what cannot be sent is logged and left to ``sweep``.

        A receiver that does not answer at all is not tried for the rest: each try may take ``timeout`` seconds.
        """
        silent: set[str] = set()
        if self._remaining is None:
            for sent in [self._submit(silent, now, trigger) for trigger in triggers]:
                sent.result()
            return
        for trigger in triggers:
            if self._remaining.acquire(blocking=False):
                self._submit(silent, now, trigger).add_done_callback(self._sent)
            else:
                self._lost(trigger, "too many are on their way")

    def _sent(self, sent: "Future[None]") -> None:
        assert self._remaining is not None
        self._remaining.release()
        if error := sent.exception():
            log.get().error("triggers not sent", exc_info=error)

    def _submit(self, silent: set[str], now: datetime, trigger: Trigger) -> "Future[None]":
        return self._pool.submit(copy_context().run, self._send, silent, now, trigger)  # the log's bound values too

    def _send(self, silent: set[str], now: datetime, trigger: Trigger) -> None:
        headers, body = encode(trigger, now, self._key)
        url = self._sink.replace("{function}", trigger.kind.function)
        try:
            if url in silent:
                raise NotAnswered("not tried after one that was not answered")
            response = self._poster.post(
                url, body, headers, self._timeout + self._answer_timeout, late_after=self._answer_timeout
            )
        except AnsweredLate as late:
            self._keep(late.connection)
            log.get().debug("trigger handed over", type=trigger.kind.type, subject=trigger.subject)
            return
        except NotAnswered as error:
            silent.add(url)
            reason = str(error)
        else:
            if response.status < 300:
                return
            reason = f"answered {response.status}"
        self._lost(trigger, reason)

    def _lost(self, trigger: Trigger, reason: str) -> None:
        self._metrics.count(TRIGGERS_UNSENT, type=trigger.kind.type)
        log.get().warning("trigger not sent", reason=reason, type=trigger.kind.type, subject=trigger.subject)

    def _keep(self, connection: socket) -> None:
        """Keep a connection for its late answer, and close those that have had their time."""
        now = time.monotonic()
        with self._lock:
            self._late.append((now + _LONGEST, connection))
            while self._late[0][0] < now or len(self._late) > _MOST:
                self._late.popleft()[1].close()
