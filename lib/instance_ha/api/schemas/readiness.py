"""What segments would survive: ours, Masakari has nothing like it."""

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel
from instance_ha.api.schemas.types import Shown
from instance_ha.models.readiness import Ability, Fit


class Readiness(ApiModel):
    """What a segment would survive, as it was found last."""

    segment_uuid: str
    segment_name: str
    checked_at: Shown
    is_fresh: bool = Field(description="Whether that is so little time ago that it counts.")
    survives: int | None = Field(
        description="Any so many of its hosts may die, and all that could be recovered fit. Null: not known."
    )
    known_survives: int | None = Field(description="The same, when it was known last. Null: it never was.")
    reason: str | None = Field(description="Why it is not known.")
    unfenceable: int = Field(description="Hosts that could not be fenced.")
    unrecoverable: int = Field(description="Instances that could not be recovered however much room there is.")
    trouble: str | None = Field(description="What is less than promised (`readiness_survives`). Null: nothing.")
    since: Shown | None = Field(description="Since when that is so. Null: it was never less than promised.")


class NamedInstance(ApiModel):
    """An instance that could not be recovered, or of which that is not known."""

    id: str
    name: str
    ability: Ability
    reason: str


class HostReadiness(ApiModel):
    """What would become of a host's instances if it alone died."""

    uuid: str
    name: str
    fit: Fit
    reason: str | None = Field(description="Why it is not known.")
    protected: int = Field(description="Instances that would be evacuated.")
    left_over: list[str] = Field(description="Ids of those that find no host.")
    instances: list[NamedInstance] = Field(description="Those that could not be recovered, or perhaps not.")
    fence_troubles: list[str] = Field(description="Why it could not be fenced. Empty: it could, or need not be.")


class SegmentReadiness(Readiness):
    """What a segment would survive, host by host."""

    hosts: list[HostReadiness]


class ReadinessEnvelope(ApiModel):
    """What one segment would survive."""

    readiness: SegmentReadiness


class AllReadinessEnvelope(ApiModel):
    """What all segments would survive; one that is missing was not checked yet."""

    readiness: list[Readiness]
