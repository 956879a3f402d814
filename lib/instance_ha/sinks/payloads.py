"""The payload objects of events; a field that is not known yet is absent, one without a value is null."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from instance_ha.models.enums import NotificationStatus, NotificationType, RecoveryMethod, VMoveStatus


def _shown(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[
    datetime,
    PlainSerializer(_shown, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}),
]
_ABSENT: Any = None  # of fields that are left out while they are not known


class Data(BaseModel):
    """What an object holds."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Versioned(BaseModel):
    """An object as oslo.versionedobjects writes it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)
    holds: ClassVar[type[Data]]

    namespace: Literal["masakari"] = Field(alias="masakari_object.namespace")

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Make one of whatever of its fields is among the values."""
        name, version = (cls.model_fields[field].annotation.__args__[0] for field in ("name", "version"))  # type: ignore[union-attr]
        return cls.model_validate(
            {
                "masakari_object.name": name,
                "masakari_object.namespace": "masakari",
                "masakari_object.version": version,
                "masakari_object.data": cls.holds(
                    **{field: values[field] for field in cls.holds.model_fields if field in values}
                ),
            }
        )


class ExceptionData(Data):
    """An error: where it was raised, and what it says. Secrets are masked."""

    module_name: str
    function_name: str
    exception: str = Field(description="Name of its class.")
    exception_message: str
    traceback: str


class ExceptionPayload(Versioned):
    """What went wrong."""

    holds = ExceptionData
    name: Literal["ExceptionPayload"] = Field(alias="masakari_object.name")
    version: Literal["1.0"] = Field(alias="masakari_object.version")
    data: ExceptionData = Field(alias="masakari_object.data")


class SegmentData(Data):
    """A failover segment."""

    id: int = Field(_ABSENT, description="Absent before it is stored.")
    uuid: str = Field(_ABSENT, description="Absent before it is stored.")
    name: str
    service_type: str
    description: str | None
    recovery_method: RecoveryMethod
    enabled: bool
    fault: ExceptionPayload | None


class SegmentApiPayload(Versioned):
    """A failover segment, in an event about it."""

    holds = SegmentData
    name: Literal["SegmentApiPayload"] = Field(alias="masakari_object.name")
    version: Literal["1.1"] = Field(alias="masakari_object.version")
    data: SegmentData = Field(alias="masakari_object.data")


class FailoverSegmentData(Data):
    """The segment of a host."""

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


class FailoverSegment(Versioned):
    """The segment of a host, inside its payload."""

    holds = FailoverSegmentData
    name: Literal["FailoverSegment"] = Field(alias="masakari_object.name")
    version: Literal["1.1"] = Field(alias="masakari_object.version")
    data: FailoverSegmentData = Field(alias="masakari_object.data")


class HostData(Data):
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


class HostApiPayload(Versioned):
    """A compute host, in an event about it."""

    holds = HostData
    name: Literal["HostApiPayload"] = Field(alias="masakari_object.name")
    version: Literal["1.0"] = Field(alias="masakari_object.version")
    data: HostData = Field(alias="masakari_object.data")


class NotificationData(Data):
    """A reported failure."""

    id: int = Field(_ABSENT, description="Absent before it is stored.")
    notification_uuid: str = Field(_ABSENT, description="Absent before it is stored.")
    generated_time: Time
    source_host_uuid: str
    type: NotificationType
    status: NotificationStatus
    payload: dict[str, str]
    fault: ExceptionPayload | None


class NotificationApiPayload(Versioned):
    """A reported failure, in an event about it."""

    holds = NotificationData
    name: Literal["NotificationApiPayload"] = Field(alias="masakari_object.name")
    version: Literal["1.0"] = Field(alias="masakari_object.version")
    data: NotificationData = Field(alias="masakari_object.data")


class VMoveData(Data):
    """The evacuation of one instance."""

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


class VMoveApiPayload(Versioned):
    """The evacuation of one instance, in an event about it; the original has none."""

    holds = VMoveData
    name: Literal["VMoveApiPayload"] = Field(alias="masakari_object.name")
    version: Literal["1.0"] = Field(alias="masakari_object.version")
    data: VMoveData = Field(alias="masakari_object.data")


class MonitorData(Data):
    """What monitor-poll has to say of itself."""

    reason: str


class MonitorPayload(Versioned):
    """What keeps monitor-poll from monitoring hosts; the original has no such event."""

    holds = MonitorData
    name: Literal["MonitorPayload"] = Field(alias="masakari_object.name")
    version: Literal["1.0"] = Field(alias="masakari_object.version")
    data: MonitorData = Field(alias="masakari_object.data")
