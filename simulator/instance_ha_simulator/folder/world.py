"""world.yaml."""

from typing import Annotated, Any, Literal

from instance_ha.models.enums import NotificationStatus, RecoveryMethod, VMoveStatus
from instance_ha.models.evidence import EvidenceKind, LocalDisk
from instance_ha.models.fencing import FencePolicy, Power
from instance_ha.models.gates import Mode
from instance_ha.models.returns import ReturnPolicy, ReturnStatus
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.folder.base import Part
from instance_ha_simulator.folder.happenings import Happening


class Instances(Part):
    """Some instances that are alike; ``name``, ``names`` or ``count`` says which."""

    name: str | None = Field(None, description="of one")
    names: list[str] | None = Field(None, description="of several")
    count: int | None = Field(None, ge=0, description="so many, called PREFIX-1, PREFIX-2 …")
    prefix: str = Field("vm", description="of their names, with `count`")
    ha: bool = Field(False, description="their owner has set HA_Enabled")
    locked: bool = Field(False, description="locked by their owner")
    metadata: dict[str, str] = Field({}, description="such as HA_Priority")
    vm_state: str = Field("active", description="Nova's: active, paused, stopped, suspended, error …")
    task_state: str | None = Field(None, description="Nova's")
    power_state: int | None = Field(None, description="Nova's number, if it is not that of the vm_state")
    zone: str | None = Field(None, description="the availability zone that they insist on")
    on_volume: bool = Field(False, description="they boot from volumes, so that their disks outlive their host")
    size: int = Field(1, ge=1, description="how much of a host's capacity each takes")
    device: bool = Field(False, description="each has a virtual GPU, which Placement has in a nested provider")

    @model_validator(mode="after")
    def _named(self) -> "Instances":
        if len(self.model_fields_set & {"name", "names", "count"}) != 1:
            raise PydanticCustomError("one_of", "one of name, names and count is needed")
        return self

    def all_names(self) -> list[str]:
        """Return the names, in the order of the file."""
        if self.name is not None:
            return [self.name]
        return self.names or [f"{self.prefix}-{number}" for number in range(1, (self.count or 0) + 1)]


class Host(Part):
    """A compute host."""

    instances: list[Instances] = Field([], description="that run on it at the beginning")
    capacity: int | None = Field(None, description="how many of size 1 it can hold; nothing: any number")
    cell: str = Field("cell1", description="the cell of Nova that it is in")
    old_service_in: str | None = Field(
        None, description="a cell that it was in before: Nova has a second record of its service there, which is down"
    )


class Policy(Part):
    """What is changed of a segment's policy."""

    dead_when: list[list[EvidenceKind]] | None = Field(None, description="sets of kinds of evidence")
    local_disk: LocalDisk | None = Field(None, description="what becomes of instances whose disk is lost")
    fence: FencePolicy | None = Field(None, description="whether its hosts are fenced")
    mode: Mode | None = Field(None, description="what its recoveries may do by themselves")
    returns: ReturnPolicy | None = Field(None, description="who brings its recovered hosts back")


class Bmc(Part):
    """A way to cut a host's power: a rung of its ladder."""

    method: Literal["redfish", "ipmi", "ironic", "url"] = Field("redfish", description="what it is called")
    time_limit: float = Field(60, description="seconds until the next rung is tried")
    after: float = Field(1.0, description="seconds from the request until the power is cut")
    cuts: bool = Field(True, description="else it accepts the request, and does nothing")
    is_off: bool = Field(False, description="the host is off from the beginning")
    says: list[Power] = Field([], description="of the power, the first times it is asked, whatever is so")
    answers_in: float = Field(0.2, description="seconds")
    silent: bool = Field(False, description="it never answers")
    silent_until: float = Field(0.0, description="second before which it does not answer")
    refuses: bool = Field(False, description="it does not let us in")


class Segment(Part):
    """A segment."""

    hosts: list[str]
    reserved: list[str] = Field([], description="more hosts, reserved ones")
    method: RecoveryMethod = RecoveryMethod.AUTO
    policy: Policy | None = Field(None, description="what is changed of its policy")


class Aggregate(Part):
    """An aggregate of Nova."""

    hosts: list[str]
    zone: str | None = Field(None, description="makes it an availability zone")


class AtTheEnd(Part):
    """What must hold at the end; what is left out may be as it likes."""

    notifications: list[NotificationStatus] | None = Field(None, description="their statuses, in order")
    vmoves: dict[str, VMoveStatus] | None = Field(None, description="the last of each instance")
    returns: list[ReturnStatus] | None = Field(None, description="the statuses of the returns of hosts, in order")
    places: dict[str, str] | None = Field(None, description="the host of every instance")
    states: dict[str, str] | None = Field(None, description="the vm_state of every instance")
    locked: list[str] | None = Field(None, description="the instances that are locked")
    disabled: list[str] | None = Field(None, description="the hosts whose compute service is disabled")
    forced_down: list[str] | None = Field(None, description="the hosts whose compute service is forced down")
    reserved: list[str] | None = Field(None, description="the hosts that are reserved")
    maintenance: list[str] | None = Field(None, description="the hosts that are on maintenance")
    aggregates: dict[str, list[str]] | None = Field(None, description="the hosts of every aggregate")


class World(Part):
    """A whole world and its story."""

    hosts: dict[str, Host | None] = Field(description="all compute hosts by their names")
    segments: dict[str, Segment] = Field(description="all segments by their names")
    happenings: list[Happening] = Field(description="what happens, in any order")
    at_the_end: AtTheEnd = Field(AtTheEnd(), description="what must hold then")
    settings: dict[str, Any] = Field({}, description="of the functions, as in configuration.md, without INSTANCE_HA_")
    cloud: CloudOptions = Field(CloudOptions(), description="how the cloud behaves")
    aggregates: dict[str, Aggregate] = Field({}, description="of Nova, by their names")
    disabled: list[str] = Field([], description="hosts whose compute service is disabled at the beginning")
    bmcs: dict[str, list[Bmc]] = Field({}, description="what can cut the power of hosts, by their names, in order")
    boot_at_once: bool = Field(False, description="else the instances are a second apart in age")
    consul: list[str] = Field([], description="networks with a Consul agent; monitor-poll asks them")
    kubernetes: Annotated[None, Field(description="monitor-poll asks Kubernetes")] = None
    guests: Annotated[None, Field(description="monitor-guests watches the guests")] = None
    lasts: float | None = Field(None, description="seconds; nothing: until every recovery has ended")
    limit: float = Field(3600, description="seconds after which a story that is not over has failed")
    sql: list[str] = Field([], description="statements that are run before the story begins")
    stay: list[str] = Field([], description="instances (* stands for anything) that stay on the dead host")
    asked_again: int = Field(0, description="how often an instance may be evacuated once more")
    fenced: list[str] = Field([], description="hosts that live, and are fenced before they are evacuated")
    only: list[str] | None = Field(None, description="the log lines that are shown; nothing: all")
