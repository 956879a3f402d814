"""Segments."""

from typing import Annotated

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel, Body, Change, ListQuery, Record, Since
from instance_ha.api.schemas.types import Bool, Filter, Name, Text, Word
from instance_ha.models.enums import RecoveryMethod

_ENABLED = Since((1, 2))


class NewSegment(Body):
    """A segment to create."""

    name: Name = Field(description="Unique among the segments that exist.")
    recovery_method: RecoveryMethod
    service_type: Name = Field(description="Free text, usually `COMPUTE`.")
    description: Text | None = None
    enabled: Annotated[Bool, _ENABLED] = Field(True, description="False: failures of its hosts are ignored.")


class SegmentChange(Change):
    """What to change of a segment."""

    name: Name = ""
    recovery_method: RecoveryMethod = RecoveryMethod.AUTO
    service_type: Name = ""
    description: Text | None = None
    enabled: Annotated[Bool, _ENABLED] = Field(True, description="May be changed during a recovery too.")


class CreateSegment(Body):
    """Body of segment create."""

    segment: NewSegment


class UpdateSegment(Body):
    """Body of segment update."""

    segment: SegmentChange


class SegmentsQuery(ListQuery):
    """Query of the list of segments."""

    recovery_method: Filter | None = None
    service_type: Filter | None = None
    enabled: Word | None = None


class Segment(Record):
    """A failover segment: hosts that stand in for each other."""

    uuid: str
    name: str
    service_type: str
    enabled: bool
    description: str | None
    recovery_method: RecoveryMethod


class SegmentEnvelope(ApiModel):
    """One segment."""

    segment: Segment


class SegmentsEnvelope(ApiModel):
    """A page of segments."""

    segments: list[Segment]
