"""The compute service of a failed host: whether instances may be evacuated from it yet."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from instance_ha.models.cloud import CLOCKS_APART, ComputeService


class ServiceStep(Enum):
    """What is to be done next."""

    DISABLE = "disable"
    WAIT = "wait"
    READY = "ready"


@dataclass(frozen=True)
class ServiceBefore:
    """What the compute service was before the recovery has changed it, as its task remembers."""

    service_id: str
    disabled: bool
    forced_down: bool
    updated_at: datetime | None = None  # by Nova's clock

    @property
    def reported_at(self) -> datetime | None:
        """When it has last reported; None where its record was changed by more than reports."""
        return None if self.disabled or self.forced_down else self.updated_at


def before_change(service: ComputeService) -> ServiceBefore:
    """Note what a compute service is before it is changed."""
    return ServiceBefore(service.id, service.disabled, service.forced_down, service.updated_at)


def next_step(service: ComputeService, force_down: bool) -> ServiceStep:
    """Disable it, and force it down where that is allowed; then wait until Nova says it is down.

    Disabling a dead host that Nova still calls up keeps nova-api busy for a minute with a call to the dead
    nova-compute; forced down in the same request, or down already, it is immediate.
    """
    if not service.disabled or (force_down and not service.forced_down):
        return ServiceStep.DISABLE
    return ServiceStep.WAIT if service.up else ServiceStep.READY


def is_up_since(service: ComputeService, reported_at: datetime) -> bool:
    """Say whether a host is up, and has reported after its failure was, by more than Nova's clock may differ from ours.

    The recovery has waited for long then, and somebody has started the host again.
    """
    return service.up and service.updated_at is not None and service.updated_at > reported_at + CLOCKS_APART


class SourceState(Enum):
    """What is known of the host that instances are evacuated from."""

    DOWN = "down"
    UNKNOWN = "unknown"
    UP = "up"


@dataclass(frozen=True)
class Reports:
    """What a compute service has reported since it was first asked for."""

    updated_at: datetime | None  # as Nova says
    count: int  # of updates of its record in a row that nothing of ours explains
    seen_at: datetime  # when the last one was seen
    is_up: bool = False  # the host lives, and that stays so

    @property
    def is_alive(self) -> bool:
        """Whether nova-compute itself reports: a single update may be a change of the record by the API."""
        return self.count > 1


_INTERVALS = 3  # after so many without a report an update was none: two reports in a row may be seen that far apart


def count_report(before: Reports | None, service: ComputeService, now: datetime, report_interval: float) -> Reports:
    """Take in what Nova says now of a service; each report updates its record, every ``report_interval`` seconds."""
    if before is None:
        return Reports(service.updated_at, 0, now)
    late = now - before.seen_at > timedelta(seconds=_INTERVALS * report_interval)
    count = 0 if late else before.count
    if service.updated_at != before.updated_at:
        return Reports(service.updated_at, count + 1, now, before.is_up)
    return replace(before, count=count)


def compare(
    before: Reports | None, service: ComputeService | None, now: datetime, report_interval: float
) -> tuple[SourceState, Reports]:
    """Say whether a host that was down is still, by what Nova says now, and what it said before.

    A service that was forced down stays down for Nova although its host lives; but it goes on to report.
    """
    if service is None:
        return SourceState.DOWN, before or Reports(None, 0, now)
    reports = count_report(before, service, now, report_interval)
    if service.up or reports.is_alive:
        reports = replace(reports, is_up=True)
    if reports.is_up:
        return SourceState.UP, reports
    return SourceState.UNKNOWN if reports.count else SourceState.DOWN, reports
