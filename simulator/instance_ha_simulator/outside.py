"""Those who follow events, a bucket, a task elsewhere: they remember what they got, and fail when they are to."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from instance_ha.models.errors import ArchiveUnavailable, Misconfigured, SinkRefused, SinkUnavailable
from instance_ha.models.events import Event, Sink
from instance_ha.models.triggers import RemoteAnswer

from instance_ha_simulator.scheduler import Scheduler


def _now(scheduler: Scheduler, faults: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the faults of this moment."""
    return [f for f in faults if f.get("from", 0) <= scheduler.elapsed < f.get("to", float("inf"))]


class SimulatedSinks:
    """All sinks; each event takes a little time."""

    def __init__(self, scheduler: Scheduler, faults: list[dict[str, Any]]) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self.got: list[tuple[float, str, Event]] = []

    def send(self, sink: Sink, event: Event) -> None:
        """Take an event, or do not."""
        seconds = 0.02
        for fault in _now(self._scheduler, self._faults):
            if fault["sink"] != sink.name or fault.get("match", "") not in event.event_type:
                continue
            if fault["do"] == "away":
                raise SinkUnavailable(f"sink {sink.name} answered 503")
            if fault["do"] == "refuse":
                raise SinkRefused(f"sink {sink.name} answered 400")
            seconds = float(fault["seconds"])
        self._scheduler.sleep(seconds)
        self.got.append((self._scheduler.elapsed, sink.name, event))

    def of(self, name: str) -> list[Event]:
        """Return what a sink has got, in order."""
        return [event for _, sink, event in self.got if sink == name]


class SimulatedBucket:
    """A bucket."""

    def __init__(self, scheduler: Scheduler, faults: list[dict[str, Any]]) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self.objects: dict[str, bytes] = {}
        self.writes: list[str] = []

    def holds(self, key: str, data: bytes) -> bool:
        """Say whether an object is exactly this."""
        self._check()
        return self.objects.get(key) == data

    def write(self, key: str, data: bytes) -> None:
        """Store an object; a lossy bucket says that it has."""
        kinds = self._check()
        self.writes.append(key)
        self.objects[key] = data[:-1] if "lossy" in kinds else data

    def _check(self) -> set[str]:
        self._scheduler.sleep(0.02)
        kinds = {fault["do"] for fault in _now(self._scheduler, self._faults)}
        if "gone" in kinds:
            raise ArchiveUnavailable("the bucket archive answered NoSuchBucket")
        return kinds


class Unconfigured:
    """Stands for a client that a simulation has no use for."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, _name: str) -> Any:
        raise Misconfigured(f"this simulation has no {self._what}")


class HangsError(Exception):
    """What a custom task of a scenario raises that would never end."""


class ScriptedTask:
    """Stands for the function behind a URL: gives its answers one after the other."""

    def __init__(self, answers: Iterable[str]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    def ask(self, _url: str, identity: str, _data: dict[str, Any], _now: datetime) -> RemoteAnswer:
        """Answer the next one, and the last one again and again."""
        self.asked.append(identity)
        state = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return RemoteAnswer(state, "as the scenario says")
