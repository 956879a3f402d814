"""The things the simulated Nova holds: plain records, and the states they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ClassVar, Literal

from instance_ha_simulator.cloud.timeline import Event

POWER_STATES: Mapping[str, int] = MappingProxyType(
    {"active": 1, "paused": 3, "stopped": 4, "suspended": 4, "error": 1, "building": 0, "rescued": 1}
)
_STATUS: Mapping[str, str] = MappingProxyType(
    {
        "active": "ACTIVE",
        "building": "BUILD",
        "deleted": "DELETED",
        "error": "ERROR",
        "paused": "PAUSED",
        "rescued": "RESCUE",
        "resized": "VERIFY_RESIZE",
        "shelved": "SHELVED",
        "shelved_offloaded": "SHELVED_OFFLOADED",
        "soft-delete": "SOFT_DELETED",
        "stopped": "SHUTOFF",
        "suspended": "SUSPENDED",
    }
)
_BUSY_STATUS: Mapping[str, str] = MappingProxyType(
    {
        "rebooting": "REBOOT",
        "rebooting_hard": "HARD_REBOOT",
        "rebuilding": "REBUILD",
        "rebuild_spawning": "REBUILD",
        "resize_prep": "RESIZE",
        "migrating": "MIGRATING",
    }
)


@dataclass(frozen=True)
class CloudOptions:
    """How long things take, and what the cloud looks like. Times are in seconds of the cloud's clock."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # where they are read from a file

    report_interval: float = 10.0
    service_down_time: float = 60.0
    evacuate_seconds: float = 2.0
    stop_seconds: float = 0.5
    start_seconds: float = 0.5
    live_migrate_seconds: float = 5.0
    startup_seconds: float = 1.0  # from starting nova-compute to its first report
    resume_guests: bool = False  # nova.conf's resume_guests_state_on_host_boot
    sync_power_seconds: float = 30.0  # from the start of nova-compute until it stops what its host's reset has shut off
    token_lifetime: float = 3600.0
    disable_rpc_timeout: float = 60.0
    latency: float = 0.0  # of every Nova request
    capacity: int | None = None  # servers of size 1 that a host can hold, unless add_host says otherwise
    domain: str = ""  # makes hypervisor_hostname a full name: host.domain
    region: str = "RegionOne"
    noauth: bool = False  # Nova takes every request for an administrator's
    instance_ha_url: str | None = None  # the catalogue's instance-ha endpoint; may hold %(project_id)s
    # Lower than in most clouds, so that no code can rely on a full page being as long as it has asked.
    max_limit: int = 100  # nova.conf's [api] max_limit: the most items of a page
    host_filter: bool = True  # whether the policy lets our user filter servers by host; if not, the filter is ignored
    list_lag: float = 0.0  # lists of servers and of moves show what there was so long ago, as by a slow replica
    spawn_fails_on: Sequence[str] = ()  # hosts on which every evacuated server fails to start
    claim_fails_on: Sequence[str] = ()  # hosts whose nova-compute finds, other than the scheduler, that it has no room


@dataclass
class OldService:
    """A record of a host's nova-compute from before, which nobody has deleted when the host came into another cell."""

    id: str
    cell: str
    changed_at: datetime
    enabled: bool = True
    disabled_reason: str | None = None
    forced_down: bool = False


@dataclass
class Host:
    """A compute host with its nova-compute service."""

    name: str
    number: int
    service_id: str
    hypervisor_id: str
    hypervisor_hostname: str
    zone: str
    capacity: int | None
    started_at: datetime
    changed_at: datetime
    cell: str = "cell1"
    old_service: OldService | None = None
    alive: bool = True  # to Nova: its nova-compute reports
    guests_run: bool = False  # although it is not alive: only its nova-compute has stopped
    last_report: datetime | None = None  # of a nova-compute that is dead
    booted_at: datetime | None = None  # None: long ago
    starts: int = 0
    enabled: bool = True
    disabled_reason: str | None = None
    forced_down: bool = False
    waiting: list[Event] = field(default_factory=list)  # messages for a nova-compute that is dead

    def reported_at(self, now: datetime, interval: float) -> datetime:
        """Return when the service last reported."""
        if not self.alive and self.last_report is not None:
            return self.last_report
        seconds = (now - self.started_at).total_seconds()
        return self.started_at + timedelta(seconds=seconds // interval * interval if interval else seconds)


@dataclass
class Fault:
    """Why a server is in ERROR."""

    created: datetime
    message: str
    code: int = 500


@dataclass
class Server:
    """An instance."""

    id: str
    name: str
    host: str
    hypervisor_hostname: str
    project_id: str
    user_id: str
    created: datetime
    updated: datetime
    number: int
    metadata: dict[str, str] = field(default_factory=dict)
    vm_state: str = "active"
    task_state: str | None = None
    power_state: int = 1
    requested_zone: str | None = None
    on_volume: bool = False  # it boots from a volume, so that its disk outlives its host
    size: int = 1  # how much of a host's capacity it takes
    has_device: bool = False  # a virtual GPU, which Placement has in a provider of its own
    locked_by: str | None = None  # "owner" or "admin"
    locked_reason: str | None = None
    fault: Fault | None = None

    @property
    def status(self) -> str:
        """The status that the API shows for vm_state and task_state."""
        busy = _BUSY_STATUS.get(self.task_state or "")
        return busy if busy and self.vm_state != "deleted" else _STATUS.get(self.vm_state, "UNKNOWN")

    def become(
        self, at: datetime, vm_state: str, task_state: str | None = None, power_state: int | None = None
    ) -> None:
        """Take on a state, with the power state that goes with it."""
        self.vm_state, self.task_state, self.updated = vm_state, task_state, at
        self.power_state = POWER_STATES.get(vm_state, 0) if power_state is None else power_state


@dataclass
class Migration:
    """The record of an evacuation, or of another move."""

    id: int
    uuid: str
    instance_uuid: str
    source_compute: str
    source_node: str
    user_id: str
    project_id: str
    created_at: datetime
    dest_compute: str | None = None
    dest_node: str | None = None
    status: str = "accepted"
    updated_at: datetime | None = None
    migration_type: str = "evacuation"

    @property
    def is_accepted(self) -> bool:
        """Whether it is of an evacuation that the conductor has not begun."""
        return self.migration_type == "evacuation" and self.status == "accepted"

    def become(self, at: datetime, status: str) -> None:
        """Take on a status."""
        self.status, self.updated_at = status, at


@dataclass
class Aggregate:
    """A host aggregate."""

    id: int
    uuid: str
    name: str
    created_at: datetime
    availability_zone: str | None = None
    hosts: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class ServerGroup:
    """Servers that are kept apart; the only kind here."""

    id: str
    name: str
    project_id: str
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class EvacuationRequest:
    """One evacuation that Nova accepted."""

    time: datetime
    server_id: str
    source: str
    host: str | None  # the wanted destination
    by: str  # the id of the user who asked
    source_alive: bool = False  # it was asked for although the host lives: only a service forced down allows that
    overlapping: bool = False  # another evacuation of the server was still under way
    alive_for: float = 0.0  # seconds since the host has come back, if it lives
    cut_off: bool = False  # the host lives, and only its nova-compute does not report


@dataclass(frozen=True)
class InstanceAction:
    """Something that was done to a server, as Nova remembers it."""

    time: datetime
    name: str
    request_id: str
    user_id: str | None
    project_id: str | None


@dataclass(frozen=True)
class Course:
    """How an evacuation goes, where a scenario says so; what it leaves open goes as usual."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # where it is read from a file

    instance: str
    to: str | None = None
    seconds: float | None = None
    fails: Literal["refused", "no-valid-host", "claim", "pci", "group", "spawn", "volume"] | None = None


@dataclass(frozen=True)
class LiveCourse:
    """How a live migration goes, where a scenario says so; what it leaves open goes as usual."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # where it is read from a file

    instance: str
    seconds: float | None = None
    fails: Literal["refused", "no-valid-host", "failed", "cancelled", "left-in-error"] | None = None
