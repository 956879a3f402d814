"""What is known about the guests of a host: what libvirt says of a domain, and what is remembered of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class GuestState(StrEnum):
    """What the pings of a guest's agent say."""

    DISCOVERY = "discovery"  # it has never answered: its silence says nothing
    HEALTHY = "healthy"
    ERROR = "error"  # it has stopped answering
    REPORTED = "reported"  # and that has been reported


class Fault(StrEnum):
    """What has happened to a domain, by its state and reason; the values name them for people."""

    FAILED = "failed"  # it crashed, or could not be started or kept running
    IO_ERROR = "io-error"  # it is paused, since its disk has failed


class Channel(StrEnum):
    """The channel between a domain and its guest agent."""

    NONE = "none"  # the domain has none
    CLOSED = "closed"  # the guest has closed it: its agent does not run, as while the guest reboots
    OPEN = "open"  # the guest holds it open, or libvirt does not say


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A domain as libvirt shows it now."""

    uuid: str
    id: int | None  # another one after each start; None while it does not run
    running: bool
    fault: Fault | None = None
    channel: Channel = Channel.NONE


@dataclass(frozen=True)
class GuestPolicy:
    """How an instance is to be monitored, by its metadata or its flavor; None: as the settings say."""

    on: bool | None = None
    interval: float | None = None
    threshold: int | None = None


@dataclass(frozen=True, kw_only=True)
class GuestHealth:
    """What is remembered of a guest."""

    instance_uuid: str
    host_uuid: str
    domain_id: int | None = None
    state: GuestState = GuestState.DISCOVERY
    misses: int = 0  # in a row
    since: datetime | None = None  # of the first miss
    ran: bool = False  # it was seen running well since the last fault
    fault: Fault | None = None
    fault_since: datetime | None = None
    fault_reported: bool = False
    muted_until: datetime | None = None  # the API took it for a duplicate; what still holds then is reported again
    pinged_at: datetime | None = None
    policy: GuestPolicy = field(default_factory=GuestPolicy)
    policy_at: datetime | None = None  # when Nova was asked for it
