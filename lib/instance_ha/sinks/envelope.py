"""The envelope of events, and the events that there are."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from instance_ha.sinks.payloads import (
    HostApiPayload,
    MonitorPayload,
    NotificationApiPayload,
    SegmentApiPayload,
    Versioned,
    VMoveApiPayload,
)


def _shown(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


Timestamp = Annotated[
    datetime,
    PlainSerializer(_shown, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$", "description": "UTC."}),
]


class Envelope(BaseModel):
    """A versioned notification, as oslo.messaging sends it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    priority: Literal["INFO", "ERROR"]
    publisher_id: str = Field(
        pattern=r"^masakari-(api|engine):.", description="Which part of the product, and on which machine."
    )
    timestamp: Timestamp
    message_id: str = Field(description="The same each time that this event is sent: drop what you have seen.")


class SegmentEvent(Envelope):
    """A segment was, or could not be, created, changed or deleted."""

    event_type: Literal[
        "segment.create.start",
        "segment.create.end",
        "segment.create.error",
        "segment.update.start",
        "segment.update.end",
        "segment.update.error",
        "segment.delete.start",
        "segment.delete.end",
        "segment.delete.error",
    ]
    payload: SegmentApiPayload


class HostEvent(Envelope):
    """A host was, or could not be, registered, changed or deleted, by an operator or by a recovery."""

    event_type: Literal[
        "host.create.start",
        "host.create.end",
        "host.create.error",
        "host.update.start",
        "host.update.end",
        "host.update.error",
        "host.delete.start",
        "host.delete.end",
        "host.delete.error",
    ]
    payload: HostApiPayload


class NotificationEvent(Envelope):
    """A failure was reported (create), or is being recovered (process)."""

    event_type: Literal[
        "notification.create.start",
        "notification.create.end",
        "notification.create.error",
        "notification.process.start",
        "notification.process.end",
        "notification.process.error",
    ]
    payload: NotificationApiPayload


class VMoveEvent(Envelope):
    """An instance is being evacuated."""

    event_type: Literal["vmove.start", "vmove.end", "vmove.error"]
    payload: VMoveApiPayload


class MonitorEvent(Envelope):
    """The hosts cannot be judged now: no failure of theirs is reported."""

    event_type: Literal["monitor.degraded.error"]
    payload: MonitorPayload


EVENTS: tuple[type[Envelope], ...] = (SegmentEvent, HostEvent, NotificationEvent, VMoveEvent, MonitorEvent)
PAYLOADS: dict[str, tuple[type[Envelope], type[Versioned]]] = {
    "segment": (SegmentEvent, SegmentApiPayload),
    "host": (HostEvent, HostApiPayload),
    "notification": (NotificationEvent, NotificationApiPayload),
    "vmove": (VMoveEvent, VMoveApiPayload),
    "monitor": (MonitorEvent, MonitorPayload),
}


def event_types(event: type[Envelope]) -> tuple[str, ...]:
    """Name the events of a kind."""
    annotation: Any = event.model_fields["event_type"].annotation
    return tuple(annotation.__args__)


def write(event_type: str, message_id: str, host: str, now: datetime, values: dict[str, Any]) -> str:
    """Return the JSON of a notification about an object with these values."""
    event, payload = PAYLOADS[event_type.partition(".")[0]]
    # As in the original a host is changed by the API, also when a recovery does it.
    engine = event_type.startswith(("notification.process.", "vmove.", "monitor."))
    envelope = event.model_validate(
        {
            "event_type": event_type,
            "priority": "ERROR" if event_type.endswith(".error") else "INFO",
            "publisher_id": f"masakari-{'engine' if engine else 'api'}:{host}",
            "timestamp": now,
            "message_id": message_id,
            "payload": payload.of(values),
        }
    )
    return envelope.model_dump_json(by_alias=True, exclude_unset=True)
