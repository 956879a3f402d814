"""The power of a host, and the ways in which it can be cut off."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from instance_ha.models.uuids import HostUuid, NotificationUuid


class FencePolicy(StrEnum):
    """Whether the hosts of a segment are fenced before their instances are evacuated."""

    NEVER = "never"
    IF_POSSIBLE = "if_possible"  # a host that could not be fenced is recovered as if it were never
    REQUIRED = "required"  # nothing of a host is evacuated that could not be fenced, unless a person answers for it


class FenceOutcome(StrEnum):
    """How a rung of a ladder has ended."""

    OFF = "off"  # the power was seen to be off, twice in a row
    FAILED = "failed"


class Power(StrEnum):
    """What a method says of the power of a host; only ``off`` says anything of its instances."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Rung:
    """One way to cut a host's power, as a place in the host's ladder; it carries no secret."""

    position: int  # from 0; a lower rung is tried first
    method: str
    address: str
    time_limit: float = 60.0  # seconds from its first request, until the next rung is tried

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.method} at {self.address}"


@dataclass(frozen=True, kw_only=True)
class FenceAttempt:
    """One rung of a ladder, tried in one attempt of a recovery; written down before anything is sent."""

    id: int
    notification_uuid: NotificationUuid
    attempt: int
    round: int = 1  # within the attempt: a ladder that was climbed in vain is climbed again
    host_uuid: HostUuid
    position: int
    method: str
    address: str
    begun_at: datetime
    asked_at: datetime  # when off was last written down, to be sent
    answer: str | None = None  # to the last request; None: it is not known whether it was sent
    ended_at: datetime | None = None
    outcome: FenceOutcome | None = None  # None: it is being tried
    reason: str | None = None  # why it has failed

    def is_of(self, rung: Rung) -> bool:
        """Whether it is this rung that was tried, and not one that the file had in its place."""
        return (self.position, self.method, self.address) == (rung.position, rung.method, rung.address)
