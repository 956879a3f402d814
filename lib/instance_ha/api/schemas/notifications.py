"""Notifications and the progress of their recovery."""

from typing import Annotated, Literal

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel, Body, ListQuery, Record
from instance_ha.api.schemas.types import Filter, HostName, QueryTime, Short, Shown, Time, UuidLike
from instance_ha.models.enums import NotificationStatus, NotificationType, TaskState


class HostPayload(Body):
    """Payload of a COMPUTE_HOST notification."""

    event: Literal["STARTED", "STOPPED"]
    host_status: Literal["NORMAL", "UNKNOWN"] = Field(
        "NORMAL", description="Only NORMAL is recovered: the monitor is sure of the host."
    )
    cluster_status: Literal["ONLINE", "OFFLINE"] = "ONLINE"


class ProcessPayload(Body):
    """Payload of a PROCESS notification."""

    event: Literal["STARTED", "STOPPED"]
    process_name: Short


class InstancePayload(Body):
    """Payload of a VM notification."""

    instance_uuid: UuidLike
    event: Short
    vir_domain_event: Short


class _NewNotification(Body):
    hostname: HostName
    generated_time: Time


class NewHostNotification(_NewNotification):
    """A report that a compute host has failed, or works again."""

    type: Literal["COMPUTE_HOST"]
    payload: HostPayload


class NewProcessNotification(_NewNotification):
    """A report that a process of a compute host has failed, or works again."""

    type: Literal["PROCESS"]
    payload: ProcessPayload


class NewInstanceNotification(_NewNotification):
    """A report that an instance has failed."""

    type: Literal["VM"]
    payload: InstancePayload


NewNotification = Annotated[
    NewHostNotification | NewProcessNotification | NewInstanceNotification, Field(discriminator="type")
]


class CreateNotification(Body):
    """Body of notification create."""

    notification: NewNotification


class NotificationsQuery(ListQuery):
    """Query of the list of notifications."""

    status: Filter | None = None
    type: Filter | None = None
    source_host_uuid: Filter | None = None
    generated_since: QueryTime | None = Field(None, alias="generated-since")


class Notification(Record):
    """A reported failure."""

    notification_uuid: str
    generated_time: Shown
    source_host_uuid: str
    type: NotificationType
    payload: dict[str, str]
    status: NotificationStatus
    failover_segment_uuid: str | None
    message: str | None = Field(description="Why it ended as it did, or what it waits for.")


class ProgressDetail(ApiModel):
    """What a task said."""

    timestamp: str
    progress: str
    message: str


class TaskProgress(ApiModel):
    """A task of the recovery."""

    name: str
    progress: float
    state: TaskState
    progress_details: list[ProgressDetail] = Field(validation_alias="details")


class NotificationDetail(Notification):
    """A reported failure with the progress of its recovery."""

    recovery_workflow_details: list[TaskProgress] = Field([], description="From microversion 1.1 on.")


class NotificationEnvelope(ApiModel):
    """One notification."""

    notification: Notification


class NotificationDetailEnvelope(ApiModel):
    """One notification, in detail."""

    notification: NotificationDetail


class NotificationsEnvelope(ApiModel):
    """A page of notifications."""

    notifications: list[Notification]
