"""A broker: it writes each event anew, as Knative's does that parses it with CloudEvents' Go SDK, and delivers it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from instance_ha.models.triggers import Trigger
from instance_ha.triggers.codec import encode

from instance_ha_simulator.faults import Faults
from instance_ha_simulator.scheduler import Process, Scheduler

_RETRIED = frozenset({404, 408, 409, 429})
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


def rewritten(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an event in binary mode as they arrive behind a broker; those of other requests stay.

    The time loses the zeros at its end and gets a Z, names get capitals, the content type a charset, foreign headers
    are gone, and there are new attributes.
    """
    given = {name.lower(): value for name, value in headers.items()}
    if "ce-specversion" not in given:
        return dict(headers)
    kept = {name.title(): value for name, value in given.items() if name.startswith("ce-")}
    added = {"Ce-Traceparent": _TRACE, "Ce-Knativearrivaltime": "2026-11-26T11:37:00.2Z"}
    content = {"Content-Type": f"{given.get('content-type', 'application/json')}; charset=utf-8"}
    return {**kept, "Ce-Time": _nanoseconds(given["ce-time"]), **added, **content}


def _nanoseconds(text: str) -> str:
    """Write a time as Go's RFC3339Nano does."""
    time = datetime.fromisoformat(text).astimezone(UTC)
    fraction = f".{time.microsecond:06}".rstrip("0").rstrip(".")
    return f"{time:%Y-%m-%dT%H:%M:%S}{fraction}Z"


class Broker:
    """Delivers events as brokers do: written anew, soon, mostly once, again after an error."""

    def __init__(
        self, scheduler: Scheduler, faults: Faults, key: str, call: Callable[[str, str, bytes, Mapping[str, str]], Any]
    ) -> None:
        self._scheduler, self._faults, self._key, self._call = scheduler, faults, key.encode(), call
        self._seen: Counter[str] = Counter()
        self._under_way: list[Process] = []

    def lose_all(self) -> None:
        """Forget the events that have not arrived."""
        for process in self._under_way:
            process.killed = process.killed or not process.has_begun
        self._under_way.clear()

    def publish(self, triggers: Iterable[Trigger], now: datetime) -> None:
        """Send events, or lose them, as the faults say."""
        for trigger in triggers:
            headers, body = encode(trigger, now, self._key)
            for delay in self._deliveries(trigger.kind.function):
                self._deliver(trigger.kind.function, rewritten(headers), body, delay, 0)

    def _deliveries(self, function: str) -> list[float]:
        self._seen[function] += 1
        random, late = self._scheduler.random, self._faults.schedule.get("jitter", 0.0)
        usual = 0.01 if random is None or not late else random.uniform(0.01, late)
        for fault in self._faults.events:
            of_it = fault.get("function", function) == function
            if of_it and ("every" in fault or fault.get("nth") == self._seen[function]):
                seconds = fault.get("seconds")
                return {"lose": [], "double": [usual, seconds or 0.02], "delay": [seconds or 30.0]}[fault["do"]]
        return [usual]

    def _deliver(self, function: str, headers: dict[str, str], body: bytes, delay: float, tries: int) -> None:
        def run() -> None:
            code = self._call(function, "/", body, headers).status_code
            if (code >= 500 or code in _RETRIED) and tries < 10:
                self._deliver(function, headers, body, 0.2 * 2**tries, tries + 1)

        self._under_way = [process for process in self._under_way if not process.ended]
        self._under_way.append(self._scheduler.spawn(function, run, delay))
