"""The envelope of events, and the table of the events that there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SerializeAsAny, WithJsonSchema

from instance_ha.sinks.payloads import (
    ApprovalPayload,
    HoldPayload,
    HostApiPayload,
    MonitorPayload,
    NotificationApiPayload,
    PausePayload,
    Payload,
    PolicyPayload,
    ReadinessPayload,
    ReturnPayload,
    SegmentApiPayload,
    VMoveApiPayload,
)

_PHASES = ("start", "end", "error")


@dataclass(frozen=True)
class EventFamily:
    """The events about one kind of thing."""

    name: str  # of their schema
    text: str
    payload: type[Payload]
    event_types: tuple[str, ...]


FAMILIES = (
    EventFamily(
        "SegmentEvent",
        "A segment was, or could not be, created, changed or deleted.",
        SegmentApiPayload,
        tuple(f"segment.{action}.{phase}" for action in ("create", "update", "delete") for phase in _PHASES),
    ),
    EventFamily(
        "HostEvent",
        "A host was, or could not be, registered, changed or deleted, by an operator or by a recovery.",
        HostApiPayload,
        tuple(f"host.{action}.{phase}" for action in ("create", "update", "delete") for phase in _PHASES),
    ),
    EventFamily(
        "NotificationEvent",
        "A failure was reported (create), or is being recovered (process).",
        NotificationApiPayload,
        tuple(f"notification.{action}.{phase}" for action in ("create", "process") for phase in _PHASES),
    ),
    EventFamily(
        "HoldEvent",
        "A recovery is held (start), and not any more (end): it goes on, or has ended.",
        HoldPayload,
        tuple(f"notification.hold.{phase}" for phase in ("start", "end")),
    ),
    EventFamily(
        "PauseEvent",
        "A pause was, or could not be, begun (create) or ended before its time (delete).",
        PausePayload,
        tuple(f"pause.{action}.{phase}" for action in ("create", "delete") for phase in _PHASES),
    ),
    EventFamily(
        "ApprovalEvent",
        "A recovery that was held was, or could not be, approved or denied.",
        ApprovalPayload,
        tuple(f"approval.create.{phase}" for phase in _PHASES),
    ),
    EventFamily(
        "PolicyEvent",
        "The policy of a segment was, or could not be, changed.",
        PolicyPayload,
        tuple(f"policy.update.{phase}" for phase in _PHASES),
    ),
    EventFamily(
        "ReturnEvent",
        "The return of a host was, or could not be, asked for (create) or stopped (delete), or is under way (process).",
        ReturnPayload,
        tuple(f"return.{action}.{phase}" for action in ("create", "delete", "process") for phase in _PHASES),
    ),
    EventFamily(
        "ReadinessEvent",
        "A segment is less ready for an outage than it is promised to be (error), or is as ready again (end).",
        ReadinessPayload,
        tuple(f"readiness.check.{phase}" for phase in ("end", "error")),
    ),
    EventFamily(
        "VMoveEvent",
        "An instance is being evacuated, or goes home.",
        VMoveApiPayload,
        tuple(f"vmove.{phase}" for phase in _PHASES),
    ),
    EventFamily(
        "MonitorEvent",
        "The state of the hosts is not known now: no failure of theirs is reported.",
        MonitorPayload,
        ("monitor.degraded.error",),
    ),
)
_PAYLOADS = {event_type: family.payload for family in FAMILIES for event_type in family.event_types}


def _microsecond(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


Timestamp = Annotated[
    datetime,
    PlainSerializer(_microsecond, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$", "description": "UTC."}),
]


class Envelope(BaseModel):
    """An event, in the format of the versioned notifications that oslo.messaging sends."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    priority: Literal["INFO", "ERROR"]
    publisher_id: str = Field(
        pattern=r"^masakari-(api|engine):.", description="Which part of the product, and on which machine."
    )
    timestamp: Timestamp
    message_id: str = Field(description="The same each time that this event is sent: drop what you have seen.")
    event_type: str
    payload: SerializeAsAny[Payload]


def write(event_type: str, message_id: str, host: str, now: datetime, values: Mapping[str, Any]) -> str:
    """Return the JSON of an event about an object with these values.

    Raises:
        ValueError: the values are not what the schema of its payload allows.

    """
    # As in Masakari a host is changed by the API, also when a recovery does it.
    engine = event_type.startswith(
        ("notification.process.", "notification.hold.", "return.process.", "vmove.", "monitor.")
    )
    return Envelope(
        event_type=event_type,
        priority="ERROR" if event_type.endswith(".error") else "INFO",
        publisher_id=f"masakari-{'engine' if engine else 'api'}:{host}",
        timestamp=now,
        message_id=message_id,
        payload=_PAYLOADS[event_type].of(values),
    ).model_dump_json(exclude_unset=True)
