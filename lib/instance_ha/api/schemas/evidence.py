"""Evidence about hosts: ours, Masakari has nothing like it."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt

from instance_ha.api.schemas.base import ApiModel, Body, NewestFirst
from instance_ha.api.schemas.types import Filter, HostName, Short, Shown
from instance_ha.models.evidence import EvidenceKind, Verdict

_LONGEST = 86400  # seconds


class _NewEvidence(Body):
    host: HostName = Field(description="Name or uuid of a registered host.")


class NewConfirmation(_NewEvidence):
    """A person answers for it that a host is dead, which outvotes every sign of life."""

    kind: Literal["confirmed"]
    reason: Short = Field(description="How they know; it is kept with their user's name and id.")
    valid_for: Annotated[StrictInt, Field(ge=60, le=_LONGEST, description="Seconds.")] = 3600


class NewExternalEvidence(_NewEvidence):
    """What a system of the operator's own says of a host, such as a rack's power or a storage blocklist."""

    kind: Literal["external"]
    verdict: Verdict
    source: Short = Field(description="Which system; of one source the newest evidence counts for death.")
    reason: Short | None = None
    valid_for: Annotated[StrictInt, Field(ge=1, le=_LONGEST, description="Seconds.")] = 60


class CreateEvidence(Body):
    """Body of evidence create."""

    evidence: Annotated[NewConfirmation | NewExternalEvidence, Field(discriminator="kind")]


class EvidenceQuery(NewestFirst):
    """Query of the list of evidence."""

    host: Filter | None = Field(None, description="Name or uuid of a host; all by default.")


class Evidence(ApiModel):
    """What one source saw of a host."""

    id: int
    host_uuid: str
    kind: EvidenceKind
    verdict: Verdict
    source: str
    seen_at: Shown
    valid_until: Shown = Field(description="Until then it counts.")
    detail: dict[str, Any]
    actor: str | None = Field(description="Name and id of the user who has posted it; null: a function of ours.")
    notification_uuid: str | None = Field(description="Whose recovery it is about.")


class EvidenceEnvelope(ApiModel):
    """One piece of evidence."""

    evidence: Evidence


class EvidenceListEnvelope(ApiModel):
    """A page of evidence, the newest first."""

    evidence: list[Evidence]
