"""Accounts of outages: ours, Masakari has nothing like it."""

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel
from instance_ha.api.schemas.types import Shown
from instance_ha.models.enums import NotificationStatus, NotificationType, VMoveStatus
from instance_ha.models.incident import Ended

_UNKNOWN = "Null: not known, or not yet."


class Moment(ApiModel):
    """One step of the whole recovery."""

    name: str
    at: Shown | None = Field(description=_UNKNOWN)
    after: float | None = Field(description="Seconds since the host's last sign of life. Null: not known.")
    by: str = Field(description="By what it is known.")


class InstanceOutage(ApiModel):
    """What one instance went through."""

    instance_uuid: str
    instance_name: str
    source_host: str
    dest_host: str | None = Field(description="Null: it has not moved.")
    status: VMoveStatus
    planned_at: Shown
    asked_at: Shown | None = Field(description="When Nova was asked last. Null: it was not.")
    moved_at: Shown | None = Field(description="When Nova was seen to be done.")
    rested_at: Shown | None = Field(description="When it had the state again that it had, and was unlocked.")
    alive_at: Shown | None = Field(description=f"Its own first sign of life. {_UNKNOWN}")
    ended: Ended = Field(description="By what its outage is over; or that it lasts, or that nobody knows.")
    outage: float | None = Field(
        description="Seconds from its host's last sign of life to its own first one. Null: not over, or not known."
    )


class Failure(ApiModel):
    """A try that came to nothing."""

    instance_uuid: str
    instance_name: str
    at: Shown
    host: str | None = Field(description="The destination on which it failed. Null: it came to none.")
    reason: str


class Spread(ApiModel):
    """How long one part took over all instances of which that is known; seconds, by nearest rank."""

    part: str
    count: int
    p50: float
    p90: float
    p99: float
    longest: float


class Totals(ApiModel):
    """Instances by how their outage stands."""

    instances: int
    over: int
    lasting: int
    did_not_run: int
    not_known: int
    left_out: int = Field(description="Instances that were not to be evacuated; they stand in no other number.")
    outage: float = Field(description="Seconds of all outages that are over, together.")


class Incident(ApiModel):
    """The account of one recovery."""

    notification_uuid: str
    type: NotificationType
    status: NotificationStatus
    message: str | None
    host: str | None = Field(description="Null: it is not registered any more.")
    moments: list[Moment]
    totals: Totals
    spreads: list[Spread]
    instances: list[InstanceOutage]
    failures: list[Failure]
    left_out: list[str] = Field(description="The first instances that were left on the host, each with its reason.")
    markdown: str = Field(description="The same as a page for people.")


class IncidentEnvelope(ApiModel):
    """One account."""

    incident: Incident
