"""Pauses: ours, Masakari has nothing like them."""

from typing import Annotated, Literal

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel, Body, NewestFirst
from instance_ha.api.schemas.types import HostName, Short, Shown, Time, UuidLike, Word
from instance_ha.models.gates import Scope


class _NewPause(Body):
    reason: Short = Field(description="Shown with every recovery that it holds.")
    until: Time = Field(description="When it ends by itself, at most 7 days from now.")


class NewPauseOfCloud(_NewPause):
    """No recovery begins."""

    scope: Literal["cloud"]


class NewPauseOfSegment(_NewPause):
    """No recovery of a segment begins."""

    scope: Literal["segment"]
    segment_uuid: UuidLike


class NewPauseOfHost(_NewPause):
    """No recovery of a host, or of what is on it, begins."""

    scope: Literal["host"]
    host: HostName = Field(description="Name or uuid of a registered host.")


NewPause = NewPauseOfCloud | NewPauseOfSegment | NewPauseOfHost


class CreatePause(Body):
    """Body of pause create."""

    pause: Annotated[NewPause, Field(discriminator="scope")]


class PausesQuery(NewestFirst):
    """Query of the list of pauses."""

    active: Word | None = Field(None, description="True: only those that are in force.")


class Pause(ApiModel):
    """While it is in force, nothing new begins in its scope; what has begun ends as it would."""

    id: int
    uuid: str
    created_at: Shown
    scope: Scope
    segment_uuid: str | None
    host_uuid: str | None
    reason: str
    until: Shown
    actor: str | None = Field(description="Name and id of the user who has begun it.")
    ended_at: Shown | None = Field(description="It was ended before its time.")
    ended_by: str | None = Field(description="Name and id of the user who has ended it.")


class PauseEnvelope(ApiModel):
    """One pause."""

    pause: Pause


class PausesEnvelope(ApiModel):
    """A page of pauses, the newest first."""

    pauses: list[Pause]
