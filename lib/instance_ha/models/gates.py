"""Gates in front of every recovery: what they are asked, what they have answered, and what people say to that."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from instance_ha.models.uuids import HostUuid, NotificationUuid, SegmentUuid


class Mode(StrEnum):
    """What a segment's recoveries may do by themselves."""

    OBSERVE = "observe"  # nothing: they say what they would have done
    APPROVE = "approve"  # nothing before an operator has approved it
    AUTO = "auto"


class Gate(StrEnum):
    """What may hold a recovery before it acts; docs/gates.md explains each."""

    PAUSE = "pause"
    APPROVAL = "approval"
    STORM_SEGMENT = "storm_segment"
    STORM_CLOUD = "storm_cloud"
    RATE = "rate"
    FLAPPING = "flapping"
    CLOUD_HEALTH = "cloud_health"
    PEERS = "peers"
    CAPACITY = "capacity"


class GateVerdict(StrEnum):
    """How a gate stands for one recovery."""

    OPEN = "open"
    HELD = "held"
    APPROVED = "approved"  # it would hold, and an operator has approved the recovery


class Scope(StrEnum):
    """What a pause is about."""

    CLOUD = "cloud"
    SEGMENT = "segment"
    HOST = "host"


class ApprovalVerdict(StrEnum):
    """What an operator says of a recovery that is held."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, kw_only=True)
class Pause:
    """No recovery of the cloud, of a segment or of a host begins until then."""

    id: int = 0  # 0: not stored yet
    uuid: str
    created_at: datetime
    scope: Scope
    segment_uuid: SegmentUuid | None = None
    host_uuid: HostUuid | None = None
    reason: str
    until: datetime
    actor: str | None = None  # id of the user who has begun it
    ended_at: datetime | None = None  # it was ended before its time
    ended_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What an operator has said of a recovery that was held; an approval opens the gates that held it then."""

    id: int = 0  # 0: not stored yet
    created_at: datetime
    notification_uuid: NotificationUuid
    verdict: ApprovalVerdict
    gates: tuple[Gate, ...] = ()
    reason: str
    actor: str | None = None


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """What a gate has decided over a recovery, and what it saw; a row of the decision log."""

    id: int = 0  # 0: not stored yet
    decided_at: datetime
    notification_uuid: NotificationUuid
    attempt: int  # the one that was to begin, or had
    gate: Gate
    verdict: GateVerdict
    saw: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None  # why it holds, or would without an approval


@dataclass(frozen=True, kw_only=True)
class FailedHost:
    """A host whose failure is being handled, or was just reported."""

    name: str
    in_segment: bool  # in that of the recovery that is decided over
    reported_at: datetime


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known in Postgres when the gates of a host's recovery decide."""

    segment_hosts: int
    cloud_hosts: int  # of all segments
    peers: frozenset[str] = frozenset()  # the other hosts of the segment, but for those on maintenance
    failed: tuple[FailedHost, ...]
    begun: int  # other recoveries that passed the gates in the window of the rate
    finished: int  # recoveries of the same host that have finished within a day
