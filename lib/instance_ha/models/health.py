"""What is known about the health of hosts: what was seen, when, what follows, and what has been told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Sight(StrEnum):
    """What one source says of a host in one network."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class HostState(StrEnum):
    """What a whole window of samples says of a host; also what a single sample says of it."""

    UP = "up"  # nothing is down
    DOWN = "down"  # the strategy asks for a recovery
    SPARED = "spared"  # something is down, and the strategy leaves the host alone
    UNSURE = "unsure"  # something is not known, or the samples differ, or there are not enough


class Told(StrEnum):
    """What the API has taken from us about a host, last."""

    NOTHING = "nothing"
    STOPPED = "stopped"
    KNOWN = "known"  # that it stopped; the API took it for a failure that it had been told of before
    STARTED = "started"
    STOPPED_BEFORE = "stopped before"  # and since then the host was on maintenance, or its segment was disabled


Vector = Mapping[str, Sight]  # the networks by their names


@dataclass(frozen=True)
class Strategy:
    """For which combinations of broken networks a host is recovered."""

    networks: tuple[str, ...]
    recover: frozenset[tuple[Sight, ...]]


@dataclass(frozen=True)
class Sighting:
    """What a source says of a host now."""

    vector: Vector
    on_purpose: bool = False  # somebody has taken the host out of service: it may go away


@dataclass(frozen=True)
class View:
    """A complete answer of a source; a host that is not in it was not seen."""

    hosts: Mapping[str, Sighting]


@dataclass(frozen=True)
class Sample:
    """A remembered sighting."""

    at: datetime
    vector: Vector


@dataclass(frozen=True, kw_only=True)
class HostHealth:
    """What is remembered of a host."""

    host_uuid: str
    samples: tuple[Sample, ...] = ()  # the newest last
    state: HostState = HostState.UNSURE
    since: datetime | None = None  # when the state began
    listed: bool = False  # the source knew it when we last looked, and nobody had taken it out of service
    doubted: bool = False  # when we last looked, our eyes were rather broken than so many hosts
    told: Told = Told.NOTHING
    told_at: datetime | None = None
    answer: str | None = None  # what the API said to it


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A registered host with what is remembered of it."""

    name: str
    segment_uuid: str
    segment_name: str
    judged: bool  # its segment is enabled, and it is not on maintenance
    health: HostHealth


@dataclass(frozen=True, kw_only=True)
class Report:
    """What is to be told to the API, as it stands on the wire (reference, section 8)."""

    hostname: str
    type: str
    generated_time: datetime
    payload: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the API said to a report."""

    code: int
    text: str

    @property
    def final(self) -> bool:
        """Whether the same report must not be sent again: it was taken, known already, or refused for good."""
        return self.code < 300 or self.code == 400 or self.known

    @property
    def known(self) -> bool:
        """Whether it was taken for a duplicate, or its host is on maintenance."""
        return self.code == 409
