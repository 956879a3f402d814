"""What cuts the power of hosts: BMCs that are late, lie, refuse or are silent when a world says so."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from instance_ha.models.errors import FenceRefused, FenceUnavailable
from instance_ha.models.fencing import Power, Rung

from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.scheduler import Scheduler


class SimulatedFences:
    """The ladders of all hosts; whatever cuts a host's power kills it in the cloud."""

    def __init__(
        self, scheduler: Scheduler, cloud: Cloud, ladders: Mapping[str, list[dict[str, Any]]], timeout: float
    ) -> None:
        self._scheduler = scheduler
        self._cloud = cloud
        self._ladders = ladders
        self._timeout = timeout
        self._said: dict[tuple[str, int], list[str]] = {}
        self._asking: set[str] = set()
        self.off_at = {host: 0.0 for host, ladder in ladders.items() if any(about.get("is_off") for about in ladder)}
        self.requests: list[tuple[float, str, str]] = []  # each off that was asked: when, of which host, by which rung
        self.cuts: list[tuple[float, str]] = []  # when the power of which host went off
        self.same: dict[str, str] = {}  # hosts with a machine of another one
        self.trouble: Exception | None = None  # what comes of reading the ladders
        self.parallel: list[str] = []  # hosts that were asked in two ways at once

    def ladder(self, host: str) -> tuple[Rung, ...]:
        """Return the rungs of a host."""
        if self.trouble is not None:
            raise self.trouble
        return tuple(
            Rung(place, about.get("method", "redfish"), f"{host}-bmc{place + 1}", about.get("time_limit", 60.0))
            for place, about in enumerate(self._ladders.get(host, []))
        )

    def shared(self, hosts: Iterable[str]) -> Mapping[str, str]:
        """Name the hosts that have one machine."""
        return {host: other for host, other in self.same.items() if host in set(hosts)}

    def method(self, host: str, rung: Rung, now: datetime) -> "SimulatedMethod":
        """Return the method of a rung."""
        about = self._ladders[host][rung.position]
        said = self._said.setdefault((host, rung.position), list(about.get("says", [])))
        return SimulatedMethod(self, host, rung, about, said)

    def cut(self, host: str, seconds: float) -> None:
        """Cut a host's power after some seconds, unless it is off by then."""
        at = self._scheduler.elapsed + seconds
        if self.off_at.get(host, at + 1) <= at:
            return
        self.off_at[host] = at
        self.cuts.append((at, host))
        self._scheduler.spawn("power", lambda: self._cloud.kill_host(host), seconds)

    def start(self, host: str) -> None:
        """Let somebody give a host its power back."""
        self.off_at.pop(host, None)

    def is_off(self, host: str) -> bool:
        """Say how it is."""
        return host in self.off_at and self.off_at[host] <= self._scheduler.elapsed

    @contextmanager
    def asked(self, host: str, about: Mapping[str, Any]) -> Iterator[None]:
        """Take the time of a question."""
        if host in self._asking:
            self.parallel.append(host)
        self._asking.add(host)
        try:
            silent = about.get("silent") or self._scheduler.elapsed < about.get("silent_until", 0.0)
            self._scheduler.sleep(self._timeout if silent else about.get("answers_in", 0.2))
            if silent:
                raise FenceUnavailable("the BMC did not answer in time")
            if about.get("refuses"):
                raise FenceRefused("the BMC answered 401")
            yield
        finally:
            self._asking.discard(host)

    def note(self, host: str, rung: Rung) -> None:
        """Remember that off was asked."""
        self.requests.append((self._scheduler.elapsed, host, rung.name))


class SimulatedMethod:
    """One BMC."""

    def __init__(
        self, fences: SimulatedFences, host: str, rung: Rung, about: Mapping[str, Any], said: list[str]
    ) -> None:
        self._fences = fences
        self._host = host
        self._rung = rung
        self._about = about
        self._said = said

    def off(self) -> str:
        """Accept the request; whether it is done is another matter."""
        self._fences.note(self._host, self._rung)
        with self._fences.asked(self._host, self._about):
            if self._fences.is_off(self._host):
                return "declined: 409"
            if self._about.get("cuts", True):
                self._fences.cut(self._host, self._about.get("after", 1.0))
            return "accepted"

    def power(self) -> Power:
        """Say what the power is, or what the world has it say."""
        with self._fences.asked(self._host, self._about):
            if self._said:
                return Power(self._said.pop(0))
            return Power.OFF if self._fences.is_off(self._host) else Power.ON
