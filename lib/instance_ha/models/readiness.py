"""What is known before an outage of how it would go."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from instance_ha.models.cloud import Server
from instance_ha.models.uuids import HostUuid, SegmentUuid


class Ability(StrEnum):
    """Why an instance is named: it could not be recovered however much room there is, or that is not known."""

    NO = "no"
    UNKNOWN = "unknown"  # neither Nova nor Placement tells


class Fit(StrEnum):
    """Whether the instances of a host fit on the others."""

    FITS = "fits"  # proven, whatever Nova's scheduler chooses
    MAY_FIT = "may_fit"  # if Nova prefers hosts with much free memory, as it does by default; not proven
    LEFT_OVER = "left_over"  # some find no host, even if Nova prefers hosts with much free memory
    UNKNOWN = "unknown"  # what is needed to say so is not known


@dataclass(frozen=True)
class InstanceReadiness:
    """A protected instance that could not be recovered, or of which it is not known, and why."""

    id: str
    name: str
    ability: Ability
    reason: str


@dataclass(frozen=True, kw_only=True)
class HostReadiness:
    """What would become of a host if it alone died now."""

    uuid: HostUuid
    name: str
    fit: Fit
    reason: str | None = None  # why it is not known
    protected: int = 0  # instances that would be evacuated
    left_over: tuple[str, ...] = ()  # of these, those that find no host: their ids
    instances: tuple[InstanceReadiness, ...] = ()  # that could not be recovered, or perhaps not
    fence_troubles: tuple[str, ...] = ()  # why it could not be fenced; none: it could, or need not be


@dataclass(frozen=True, kw_only=True)
class SegmentReadiness:
    """What a segment survives."""

    segment_uuid: SegmentUuid
    survives: int | None  # any so many hosts may die, and all that could be recovered fit; None: not known
    reason: str | None = None  # why it is not known
    hosts: tuple[HostReadiness, ...] = ()

    @property
    def unfenceable(self) -> tuple[str, ...]:
        """Name the hosts that could not be fenced."""
        return tuple(host.name for host in self.hosts if host.fence_troubles)

    @property
    def unrecoverable(self) -> int:
        """Count the instances that could not be recovered however much room there is."""
        return sum(one.ability is Ability.NO for host in self.hosts for one in host.instances)


@dataclass(frozen=True, kw_only=True)
class StoredReadiness:
    """What a segment survives, as it was found last."""

    segment_uuid: SegmentUuid
    segment_name: str
    checked_at: datetime
    survives: int | None
    known_survives: int | None  # the same, when it was known last
    reason: str | None
    unfenceable: int  # hosts
    unrecoverable: int  # instances
    trouble: str | None  # what of the promise is broken
    since: datetime | None  # when it was broken or mended; None: it never was broken


@dataclass(frozen=True)
class CapacitySeen:
    """Whether the instances of a host fit elsewhere, as it was found last."""

    checked_at: datetime
    fit: Fit
    left_over: tuple[str, ...]


@dataclass(frozen=True)
class Protected:
    """The instances of a host that a recovery would evacuate, the first ones first."""

    host: str
    servers: tuple[Server, ...]
    is_held: bool = False  # until somebody has decided what becomes of disks that are lost
