"""The account of an outage, as values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from instance_ha.models.enums import NotificationStatus, NotificationType, VMoveStatus
from instance_ha.models.uuids import NotificationUuid


class Ended(StrEnum):
    """How the outage of an instance stands."""

    AGENT = "guest_agent"  # over: its guest agent has answered
    ACTIVE = "active"  # over: Nova has called it active on its new host; no agent of it has answered soon after
    LASTS = "lasts"  # not over, as far as the recovery knows
    DID_NOT_RUN = "did_not_run"  # it did not run when its host failed, so it had no outage
    NOT_KNOWN = "not_known"


OVER = frozenset({Ended.AGENT, Ended.ACTIVE})


@dataclass(frozen=True)
class Moment:
    """One step of the whole recovery; ``after`` is seconds since the host's last sign of life."""

    name: str
    at: datetime | None  # None: not known, or not yet
    after: float | None
    by: str  # who says so


@dataclass(frozen=True)
class InstanceOutage:
    """What one instance went through."""

    instance_uuid: str
    instance_name: str
    source_host: str
    dest_host: str | None
    status: VMoveStatus
    planned_at: datetime
    asked_at: datetime | None  # the request that has moved it, or the last one
    moved_at: datetime | None
    rested_at: datetime | None  # it has the state that it had, and is not locked by us any more
    alive_at: datetime | None
    ended: Ended
    outage: float | None  # seconds


@dataclass(frozen=True)
class Failure:
    """A try that came to nothing, with Nova's words."""

    instance_uuid: str
    instance_name: str
    at: datetime
    host: str | None  # the destination on which it failed
    reason: str


@dataclass(frozen=True)
class Spread:
    """How long one part took, over all instances of which that is known; seconds."""

    part: str
    count: int
    p50: float
    p90: float
    p99: float
    longest: float


@dataclass(frozen=True)
class Totals:
    """Instances by how their outage stands, and the sum of the outages that are over."""

    instances: int
    over: int
    lasting: int
    did_not_run: int
    not_known: int
    left_out: int
    outage: float


@dataclass(frozen=True)
class Incident:
    """The account of one recovery."""

    notification_uuid: NotificationUuid
    type: NotificationType
    status: NotificationStatus
    message: str | None
    host: str | None  # None: it is not registered any more
    moments: tuple[Moment, ...]
    totals: Totals
    spreads: tuple[Spread, ...]
    instances: tuple[InstanceOutage, ...]
    failures: tuple[Failure, ...]
    left_out: tuple[str, ...]  # the first ones, each with its reason
