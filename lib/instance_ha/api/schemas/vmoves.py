"""VMoves."""

from instance_ha.api.schemas.base import ApiModel, ListQuery, Record
from instance_ha.api.schemas.types import Filter, Shown
from instance_ha.models.enums import VMoveStatus


class VMovesQuery(ListQuery):
    """Query of the list of a notification's vmoves."""

    status: Filter | None = None
    type: Filter | None = None


class VMove(Record):
    """The evacuation of one instance."""

    uuid: str
    notification_uuid: str
    instance_uuid: str
    instance_name: str
    source_host: str
    dest_host: str | None
    start_time: Shown | None
    end_time: Shown | None
    type: str
    status: VMoveStatus
    message: str | None


class VMoveEnvelope(ApiModel):
    """One vmove."""

    vmove: VMove


class VMovesEnvelope(ApiModel):
    """A page of vmoves."""

    vmoves: list[VMove]
