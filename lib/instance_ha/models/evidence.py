"""Evidence that a host is dead, or alive: who saw what, and until when that counts."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from instance_ha.models.fencing import FencePolicy
from instance_ha.models.gates import Mode
from instance_ha.models.returns import ReturnPolicy
from instance_ha.models.uuids import HostUuid, NotificationUuid, SegmentUuid


class EvidenceKind(StrEnum):
    """What was asked."""

    SERVICE_DOWN = "service_down"  # Nova's record of the host's nova-compute
    REPORTED = "reported"  # a notification, with what its monitor is sure of
    NETWORKS = "networks"  # the networks that monitor-poll watches, each with its reading
    NODE = "node"  # the node in Kubernetes
    LIBVIRT = "libvirt"  # the hypervisor, which answered monitor-guests or did not, and how many domains run
    POWER_OFF = "power_off"  # the power, asked again after a fence
    CONFIRMED = "confirmed"  # a person
    EXTERNAL = "external"  # a task or a system of the operator's own: a rack's power, a storage blocklist


class Verdict(StrEnum):
    """What it says of the host."""

    DEAD = "dead"
    ALIVE = "alive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one source saw of a host once; only ``valid_until`` may change, to later."""

    id: int = 0  # 0: not stored yet
    host_uuid: HostUuid
    kind: EvidenceKind
    verdict: Verdict
    source: str  # who saw it: a function of ours, a method of a fence, the address of a task
    seen_at: datetime
    valid_until: datetime
    detail: dict[str, Any] = field(default_factory=dict)
    actor: str | None = None  # the id of the user who has posted it; None: a function of ours
    notification_uuid: NotificationUuid | None = None  # whose recovery has asked for it, or brought it about

    def is_fresh(self, now: datetime) -> bool:
        """Whether it still counts."""
        return now < self.valid_until


class LocalDisk(StrEnum):
    """What becomes of an instance whose disk is lost with its host: an evacuation builds it anew, empty."""

    EVACUATE = "evacuate"  # it is evacuated as all others
    LEAVE = "leave"  # it is left on the failed host, and named
    HOLD = "hold"  # nothing of the host is evacuated before an operator has decided


KindSet = frozenset[EvidenceKind]
DEAD_WHEN: tuple[KindSet, ...] = (frozenset({EvidenceKind.SERVICE_DOWN}),)  # what Masakari does


@dataclass(frozen=True, kw_only=True)
class SegmentPolicy:
    """What a segment's recoveries need before they begin, and what they may do; the defaults behave as Masakari."""

    id: int = 0  # 0: not stored, the defaults are in force
    segment_uuid: SegmentUuid
    dead_when: tuple[KindSet, ...] = DEAD_WHEN  # a host is dead when there is evidence of all kinds of one set
    local_disk: LocalDisk = LocalDisk.EVACUATE
    fence: FencePolicy = FencePolicy.NEVER
    mode: Mode = Mode.AUTO
    returns: ReturnPolicy = ReturnPolicy.MANUAL
    updated_at: datetime | None = None
    actor: str | None = None  # the id of the user who has changed it last
