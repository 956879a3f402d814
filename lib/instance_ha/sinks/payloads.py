"""The objects that events are about, each once; a field that is not known yet is absent, one without a value is null.

An object is sent as oslo.versionedobjects writes it: its name (of the class), its version, and its fields as data.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)

from instance_ha.models.enums import NotificationStatus, NotificationType, RecoveryMethod, VMoveStatus
from instance_ha.models.evidence import EvidenceKind, LocalDisk
from instance_ha.models.fencing import FencePolicy
from instance_ha.models.gates import ApprovalVerdict, Gate, Mode, Scope
from instance_ha.models.returns import ReturnPolicy, ReturnStatus


def _second(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[
    datetime,
    PlainSerializer(_second, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}),
]
_ABSENT: Any = None  # of fields that are left out while they are not known


class Payload(BaseModel):
    """An object that an event is about."""

    model_config = ConfigDict(extra="forbid", defer_build=True)
    version: ClassVar[str] = "1.0"

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Make one of those of its fields that are among the values.

        Raises:
            ValueError: a field is missing, or has a value that the schema does not allow.

        """
        return cls(**{field: values[field] for field in cls.model_fields if field in values})

    @model_serializer(mode="wrap")
    def _versioned(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**self.head(), "masakari_object.data": fields(self)}

    @classmethod
    def head(cls) -> dict[str, str]:
        """Return what stands beside the data."""
        return {
            "masakari_object.name": cls.__name__,
            "masakari_object.namespace": "masakari",
            "masakari_object.version": cls.version,
        }


class ExceptionPayload(Payload):
    """An error: where it was raised, and what it says. Secrets are masked."""

    module_name: str
    function_name: str
    exception: str = Field(description="Name of its class.")
    exception_message: str
    traceback: str


class SegmentApiPayload(Payload):
    """A failover segment."""

    version = "1.1"

    id: int = Field(_ABSENT, description="Absent before it is stored.")
    uuid: str = Field(_ABSENT, description="Absent before it is stored.")
    name: str
    service_type: str
    description: str | None
    recovery_method: RecoveryMethod
    enabled: bool
    fault: ExceptionPayload | None


class FailoverSegment(Payload):
    """The segment of a host, inside its payload."""

    version = "1.1"

    id: int
    uuid: str
    name: str
    service_type: str
    enabled: bool
    description: str | None
    recovery_method: RecoveryMethod
    created_at: Time
    updated_at: Time | None
    deleted_at: Time | None
    deleted: bool


class HostApiPayload(Payload):
    """A compute host."""

    id: int = Field(_ABSENT, description="Absent before it is stored.")
    uuid: str = Field(_ABSENT, description="Absent before it is stored.")
    name: str
    type: str
    control_attributes: str
    reserved: bool
    on_maintenance: bool
    failover_segment: FailoverSegment
    fault: ExceptionPayload | None


class NotificationApiPayload(Payload):
    """A reported failure."""

    id: int = Field(_ABSENT, description="Absent before it is stored.")
    notification_uuid: str = Field(_ABSENT, description="Absent before it is stored.")
    generated_time: Time
    source_host_uuid: str
    type: NotificationType
    status: NotificationStatus
    payload: dict[str, str]
    fault: ExceptionPayload | None


class HoldPayload(Payload):
    """A recovery that is held; Masakari holds none."""

    notification_uuid: str
    source_host_uuid: str
    status: NotificationStatus
    message: str | None = Field(description="While it is held: why, and what releases it.")


class PausePayload(Payload):
    """A pause; Masakari has none."""

    uuid: str
    scope: Scope
    segment_uuid: str | None
    host_uuid: str | None
    reason: str
    until: Time
    actor: str | None = Field(description="Name and id of the user who has begun it.")
    ended_at: Time | None = Field(description="It was ended before its time.")
    ended_by: str | None
    fault: ExceptionPayload | None


class ApprovalPayload(Payload):
    """What an operator has said of a recovery that was held."""

    notification_uuid: str
    verdict: ApprovalVerdict
    gates: list[Gate] = Field(description="Those that an approval opens.")
    reason: str
    actor: str | None
    fault: ExceptionPayload | None


class PolicyPayload(Payload):
    """The policy of a segment."""

    segment_uuid: str
    dead_when: list[list[EvidenceKind]]
    local_disk: LocalDisk
    fence: FencePolicy
    mode: Mode
    returns: ReturnPolicy
    actor: str | None = Field(description="Name and id of the user who has changed it last.")
    fault: ExceptionPayload | None


class ReturnPayload(Payload):
    """The return of a host that was recovered."""

    uuid: str
    host_uuid: str
    status: ReturnStatus
    move_home: bool
    actor: str | None = Field(
        description="Name and id of the user who has asked for it. Null: the policy of the segment."
    )
    stopped_by: str | None
    message: str | None
    fault: ExceptionPayload | None


class ReadinessPayload(Payload):
    """What a segment would survive."""

    segment_uuid: str
    segment_name: str
    checked_at: Time
    survives: int | None = Field(description="Any so many of its hosts may die, and all fit. Null: not known.")
    unfenceable: int = Field(description="Hosts that could not be fenced.")
    unrecoverable: int = Field(description="Instances that could not be recovered however much room there is.")
    trouble: str | None = Field(description="What is less than promised.")
    fault: ExceptionPayload | None


class VMoveApiPayload(Payload):
    """The move of one instance; Masakari sends no events about it."""

    id: int
    uuid: str
    notification_uuid: str
    instance_uuid: str
    instance_name: str
    source_host: str
    dest_host: str | None
    start_time: Time | None
    end_time: Time | None
    type: str
    status: VMoveStatus
    message: str | None
    fault: ExceptionPayload | None


class MonitorPayload(Payload):
    """What monitor-poll has to say of itself; Masakari sends no events about it."""

    reason: str


PAYLOADS: tuple[type[Payload], ...] = (
    ExceptionPayload,
    SegmentApiPayload,
    FailoverSegment,
    HostApiPayload,
    NotificationApiPayload,
    HoldPayload,
    PausePayload,
    ApprovalPayload,
    PolicyPayload,
    ReturnPayload,
    ReadinessPayload,
    VMoveApiPayload,
    MonitorPayload,
)
