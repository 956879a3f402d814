"""Requests to Nova: under a lease, with a time limit, counted, and their failures as ours."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from functools import partial
from typing import Any

from keystoneauth1.adapter import Adapter

from instance_ha import log
from instance_ha.models.errors import CloudRefused, CloudTimeout, CloudUnavailable
from instance_ha.models.metrics import NOVA_REQUESTS
from instance_ha.models.ports import Clock, Metrics
from instance_ha.nova.answer import answer

# 2.73 (Train): a lock carries its reason. Not 2.95 or later: it would leave evacuated instances stopped.
MICROVERSION = "2.73"


class NovaHttp:
    """What is sent to Nova. Only questions are repeated by themselves.

    All methods raise CloudUnavailable (nothing was answered, or 5xx), CloudTimeout (no answer in time:
    the request may have been carried out) and CloudRefused (4xx, with Nova's own words).
    """

    def __init__(self, adapter: Adapter, clock: Clock, timeout: float, metrics: Metrics) -> None:
        self._adapter = adapter
        self._clock = clock
        self._timeout = timeout
        self._metrics = metrics
        self._cover: Callable[[float], None] = lambda _seconds: None
        self._renewed: Callable[[float], AbstractContextManager[None]] = lambda _seconds: nullcontext()

    def under(
        self, cover: Callable[[float], None], renewed: Callable[[float], AbstractContextManager[None]]
    ) -> "NovaHttp":
        """Return one whose requests are made under a lease; what it raises keeps them from being sent.

        Args:
            cover: called right before a request that changes something, with the seconds that it may last.
            renewed: what a question is asked within, given the seconds that it may last.

        """
        covered = copy(self)
        covered._cover, covered._renewed = cover, renewed
        return covered

    @property
    def user_id(self) -> str | None:
        """Who we are to Nova."""
        user: str | None = self._adapter.get_user_id()
        return user

    def get(self, path: str, timeout: float | None = None) -> Any:
        """Ask, and ask again where Nova cannot answer; each time for at most so many seconds."""
        limit = timeout or self._timeout
        for pause in (0.5, 1.0):
            try:
                return self._ask(path, limit)
            except CloudUnavailable as error:
                log.get().warning("request to Nova retried", path=path, reason=str(error))
                self._clock.sleep(pause)
        return self._ask(path, limit)

    def put(self, path: str, body: dict[str, Any], timeout: float | None = None) -> None:
        """Change something, once."""
        self._cover(timeout or self._timeout)
        self._send("PUT", path, timeout or self._timeout, body)

    def post(self, path: str, body: dict[str, Any]) -> None:
        """Have something done, once."""
        self._cover(self._timeout)
        self._send("POST", path, self._timeout, body)

    def _ask(self, path: str, limit: float) -> Any:
        with self._renewed(limit):
            return self._send("GET", path, limit).json()

    def _send(self, method: str, path: str, limit: float, body: dict[str, Any] | None = None) -> Any:
        ask = partial(self._adapter.request, path, method, timeout=limit, microversion=MICROVERSION, json=body)
        begun, outcome = self._clock.now(), "unavailable"
        try:
            response = answer(partial(ask, raise_exc=False, connect_retries=0, status_code_retries=0), limit)
            outcome = "ok"
            return response
        except CloudTimeout:
            outcome = "timeout"
            raise
        except CloudRefused:
            outcome = "refused"
            raise
        finally:
            took = (self._clock.now() - begun).total_seconds()
            self._metrics.observe(NOVA_REQUESTS, took, operation=operation(method, path, body), outcome=outcome)


def operation(method: str, path: str, body: dict[str, Any] | None) -> str:
    """Name a request without naming what it is about: an action, or method and resource."""
    parts = path.partition("?")[0].strip("/").split("/")
    if body is not None and parts[-1] == "action":
        return str(next(iter(body)))
    return f"{method} {'/'.join(part for part in parts if part in {parts[0], 'detail', 'os-instance-actions'})}"
