"""The compute service of a failed host: whether instances may be evacuated from it yet."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from instance_ha.models.cloud import ComputeService


class ServiceStep(Enum):
    """What is to be done next."""

    DISABLE = "disable"
    WAIT = "wait"
    READY = "ready"


def next_step(service: ComputeService, force_down: bool) -> ServiceStep:
    """Disable it, and force it down where that is allowed; then wait until Nova says it is down.

    Disabling a dead host that Nova still calls up keeps nova-api busy for a minute with a call to the dead
    nova-compute; forced down in the same request, or down already, it is immediate.
    """
    if not service.disabled or (force_down and not service.forced_down):
        return ServiceStep.DISABLE
    return ServiceStep.WAIT if service.up else ServiceStep.READY


@dataclass(frozen=True)
class Heartbeat:
    """How often Nova's record of a service that it calls up was updated while its end was waited for."""

    updated_at: datetime | None
    updates: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether nova-compute itself reports: a single update may be a change of the record by the API."""
        return self.updates > 1


def heard(before: Heartbeat | None, service: ComputeService) -> Heartbeat:
    """Take in what Nova says now."""
    if before is None:
        return Heartbeat(service.updated_at)
    if service.updated_at == before.updated_at:
        return before
    return Heartbeat(service.updated_at, before.updates + 1)


class Source(Enum):
    """What is known of the host that instances are evacuated from."""

    DOWN = "down"
    UNKNOWN = "unknown"
    UP = "up"


@dataclass(frozen=True)
class Reports:
    """What a compute service that is down has reported since then."""

    updated_at: datetime | None  # as Nova says
    count: int  # of updates that nothing of ours explains
    seen_at: datetime  # when the last one was seen
    is_up: bool = False


# Longer than two of nova-compute's report_intervals: a single update is a change by the API.
_NEXT_REPORT = timedelta(seconds=30)


def compare(before: Reports | None, service: ComputeService | None, now: datetime) -> tuple[Source, Reports]:
    """Judge by what Nova says now, and what it said before.

    A service that was forced down stays down for Nova although its host lives; but it goes on to report, and each
    report updates its record.
    """
    if service is None:
        return Source.DOWN, before or Reports(None, 0, now)
    if service.up:
        return Source.UP, Reports(service.updated_at, 0, now, is_up=True)
    if before is None:
        return Source.DOWN, Reports(service.updated_at, 0, now)
    if service.updated_at != before.updated_at:
        count = before.count + 1
        is_up = count > 1
        return Source.UP if is_up else Source.UNKNOWN, Reports(service.updated_at, count, now, is_up)
    if before.count and now - before.seen_at < _NEXT_REPORT:
        return Source.UNKNOWN, before
    return Source.DOWN, replace(before, count=0)
