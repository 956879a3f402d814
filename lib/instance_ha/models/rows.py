"""The rows of Postgres as frozen values. Times are aware, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from instance_ha.models.enums import (
    Flow,
    NotificationStatus,
    NotificationType,
    RecoveryMethod,
    TaskState,
    VMoveStatus,
    VMoveStep,
    VMoveType,
)
from instance_ha.models.gates import Gate
from instance_ha.models.uuids import HostUuid, InstanceUuid, NotificationUuid, SegmentUuid, VMoveUuid


@dataclass(frozen=True, kw_only=True)
class Row:
    """What every row has."""

    id: int
    created_at: datetime
    updated_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Segment(Row):
    """A failover segment: hosts that stand in for each other."""

    uuid: SegmentUuid
    name: str
    service_type: str
    recovery_method: RecoveryMethod
    enabled: bool = True
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class Host(Row):
    """A compute host registered in a segment, by the name its nova-compute has."""

    uuid: HostUuid
    name: str
    type: str
    control_attributes: str
    failover_segment_id: SegmentUuid
    reserved: bool = False
    on_maintenance: bool = False
    on_maintenance_for: NotificationUuid | None = None  # whose recovery has put it there; None: an operator


HostChanges = Mapping[str, bool | str | None]  # by column


@dataclass(frozen=True, kw_only=True)
class Notification(Row):
    """A reported failure; beside what the API shows, the state of the work on it."""

    notification_uuid: NotificationUuid
    generated_time: datetime
    source_host_uuid: HostUuid
    type: NotificationType
    payload: dict[str, str]
    status: NotificationStatus
    instance_uuid: InstanceUuid | None = None  # of a VM: the one of the payload, spelled as Nova does
    failover_segment_uuid: SegmentUuid | None = None
    message: str | None = None
    request_id: str | None = None
    held_since: datetime | None = None  # it is held since then; the message says why
    held_by: tuple[Gate, ...] = ()  # the gates that hold it; none when something else does
    paused_until: datetime | None = None  # a pause has held it until then
    admitted_at: datetime | None = None  # the gates have let it pass
    slots_at: datetime | None = None  # its dispatcher would have begun evacuations then
    proven_at: datetime | None = None  # its host was found dead, by all evidence that the policy asks for
    counted: bool = False  # its end is in the counters
    attempt: int = 0  # which try at the whole recovery; 0 before the first
    tries: int = 0  # troubles in a row that were not the recovery's own fault
    due_at: datetime | None = None
    lease_until: datetime | None = None
    lease_owner: str | None = None


@dataclass(frozen=True, kw_only=True)
class InstanceFacts:
    """What Nova said of an instance when its host had failed: the state it shall have again."""

    vm_state: str = "active"
    task_state: str | None = None
    power_state: int = 1
    locked: bool = False
    ha_enabled: bool = False
    priority: int = 0
    left_in_error: bool = False  # an evacuation that failed has left it in error, so Nova will start it
    stopped_by_us: bool = False  # for a restart that its host's failure has cut off: it shall run


@dataclass(frozen=True, kw_only=True)
class VMove(Row):
    """The evacuation of one instance, and the state of the work on it."""

    uuid: VMoveUuid
    notification_uuid: NotificationUuid
    instance_uuid: InstanceUuid
    instance_name: str
    source_host: str
    dest_host: str | None = None
    failed_host: str | None = None  # the destination on which Nova failed
    start_time: datetime | None = None
    end_time: datetime | None = None
    type: str = VMoveType.EVACUATION
    status: VMoveStatus = VMoveStatus.PENDING
    message: str | None = None
    attempt: int = 1  # the notification's attempt that this row belongs to
    round: int = 1  # within the attempt: a later round tries again what an earlier one left over
    position: int = 0  # place in the order of evacuation
    target_host: str | None = None  # where Nova is told to put it; None: the scheduler chooses
    step: VMoveStep = VMoveStep.START
    facts: InstanceFacts = field(default_factory=InstanceFacts)
    last_migration_id: int = 0  # id of Nova's newest evacuation record of the host before this attempt
    locked_by_us: bool = False
    asked_at: datetime | None = None  # when evacuate was written down
    moved_at: datetime | None = None  # when it was seen that Nova has moved it
    agent_at: datetime | None = None  # the first answer of its guest agent since then
    tries: int = 0
    due_at: datetime | None = None
    lease_until: datetime | None = None
    lease_owner: str | None = None

    @property
    def is_retry(self) -> bool:
        """Whether the instance may have been tried before."""
        return self.attempt > 1 or self.round > 1


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """One task of a recovery flow: the memory of the flow and what the API shows as progress."""

    id: int
    notification_uuid: NotificationUuid
    attempt: int
    position: int
    flow: Flow
    name: str
    state: TaskState = TaskState.PENDING
    progress: float = 0.0
    details: list[dict[str, str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)  # what the task remembers between invocations


@dataclass(frozen=True)
class Caller:
    """The owner of a valid token."""

    user_id: str
    project_id: str | None
    roles: frozenset[str]
    user_name: str | None = None  # as the token tells it

    @property
    def actor(self) -> str:
        """Who is named beside what the caller decides: the name as it is now, and the id, which stays."""
        return f"{self.user_name} ({self.user_id})" if self.user_name else self.user_id
