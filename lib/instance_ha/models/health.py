"""What is known about the health of hosts: what was read, when, what follows, and what has been reported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from instance_ha.models.uuids import NotificationUuid


class Reading(StrEnum):
    """What one source says of a host in one network."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class HostState(StrEnum):
    """What a whole window of samples says of a host; also what a single sample says of it."""

    UP = "up"  # nothing is down
    DOWN = "down"  # the strategy asks for a recovery
    DEGRADED = "degraded"  # something is down, and the strategy asks for no recovery
    UNKNOWN = "unknown"  # something is not known, or the samples differ, or there are not enough


class ReportState(StrEnum):
    """What the API has last accepted from the monitor about a host."""

    NOTHING = "nothing"
    STOPPED = "stopped"
    DUPLICATE = "duplicate"  # that it stopped; the API took it for a failure that had been reported before
    STARTED = "started"
    STOPPED_BEFORE = "stopped before"  # and since then the host was on maintenance, or its segment was disabled


Vector = Mapping[str, Reading]  # the networks by their names
NODE = "node"  # the one "network" of hosts that Kubernetes tells of


@dataclass(frozen=True)
class Strategy:
    """For which combinations of broken networks a host is recovered."""

    networks: tuple[str, ...]
    recover: frozenset[tuple[Reading, ...]]


@dataclass(frozen=True)
class Observation:
    """What a source says of a host now."""

    vector: Vector
    administratively_down: bool = False  # an administrator has taken the host out of service: it may go away


@dataclass(frozen=True)
class Snapshot:
    """A complete answer of a source; a host that is not in it was not observed."""

    hosts: Mapping[str, Observation]


@dataclass(frozen=True)
class Sample:
    """A remembered observation."""

    at: datetime
    vector: Vector


@dataclass(frozen=True, kw_only=True)
class HostHealth:
    """What is remembered of a host."""

    host_uuid: str
    samples: tuple[Sample, ...] = ()  # the newest last
    state: HostState = HostState.UNKNOWN
    since: datetime | None = None  # when the state began
    listed: bool = False  # the source knew it at the last poll, and it was not taken out of service
    suppressed: bool = False  # at the last poll too many hosts were down at once: nothing was reported
    reported: ReportState = ReportState.NOTHING
    reported_at: datetime | None = None
    answer: str | None = None  # what the API answered


@dataclass(frozen=True, kw_only=True)
class RegisteredHost:
    """A registered host with what is remembered of it."""

    name: str
    segment_uuid: str
    segment_name: str
    monitored: bool  # its segment is enabled, and it is not on maintenance, or only since its nova-compute failed
    on_maintenance: bool = False
    open_recovery: NotificationUuid | None = None  # the host was reported, and its recovery has not ended
    health: HostHealth


@dataclass(frozen=True, kw_only=True)
class NotificationRequest:
    """A failure, or the end of one, as a monitor posts it to the API."""

    hostname: str
    type: str
    generated_time: datetime
    payload: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NotificationResponse:
    """What the API answered to a notification request."""

    code: int
    text: str

    @property
    def final(self) -> bool:
        """Whether the same request must not be sent again: it was accepted, is a duplicate, or was refused for good."""
        return self.code < 300 or self.code == 400 or self.duplicate

    @property
    def duplicate(self) -> bool:
        """Whether it was taken for a duplicate, or its host is on maintenance."""
        return self.code == 409
