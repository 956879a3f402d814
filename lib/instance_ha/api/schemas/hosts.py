"""Hosts."""

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel, Body, Change, ListQuery, Record
from instance_ha.api.schemas.segments import Segment
from instance_ha.api.schemas.types import Alnum, Bool, Filter, Name, Text, Word


class NewHost(Body):
    """A compute host to register."""

    name: Name = Field(description="The host of a nova-compute service that Nova knows.")
    type: Alnum
    control_attributes: Text
    reserved: Bool = Field(False, description="Kept free for the instances of failed hosts.")
    on_maintenance: Bool = Field(False, description="True: its failures are refused.")


class HostChange(Change):
    """What to change of a host."""

    name: Name = ""
    type: Alnum = ""
    control_attributes: Text = ""
    reserved: Bool = False
    on_maintenance: Bool = False


class CreateHost(Body):
    """Body of host create."""

    host: NewHost


class UpdateHost(Body):
    """Body of host update."""

    host: HostChange


class HostsQuery(ListQuery):
    """Query of the list of a segment's hosts."""

    type: Filter | None = None
    name: Filter | None = None
    control_attributes: Filter | None = None
    on_maintenance: Word | None = None
    reserved: Word | None = None


class Host(Record):
    """A compute host registered in a segment."""

    uuid: str
    name: str
    failover_segment_id: str
    failover_segment: Segment
    type: str
    reserved: bool
    control_attributes: str
    on_maintenance: bool


class HostEnvelope(ApiModel):
    """One host."""

    host: Host


class HostsEnvelope(ApiModel):
    """A page of hosts."""

    hosts: list[Host]
