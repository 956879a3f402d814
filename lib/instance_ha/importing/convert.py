"""From a row of Masakari's database to one of ours; pure. What is odd becomes a remark, never a silent guess."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from instance_ha.models.enums import (
    OPEN_NOTIFICATION,
    OPEN_VMOVE,
    NotificationStatus,
    NotificationType,
    RecoveryMethod,
    VMoveStatus,
    VMoveStep,
)
from instance_ha.models.text import utc
from instance_ha.models.uuids import instance_of

Old = Mapping[str, Any]


class Unusable(Exception):
    """The row cannot be kept here; the text says why."""


@dataclass(frozen=True)
class Converted:
    """A row of ours, and what had to be changed for it."""

    values: dict[str, Any]
    remarks: list[str] = field(default_factory=list)


def time(value: Any) -> datetime | None:
    """Read a time; those of Masakari have no zone and mean UTC. None for none, and for MySQL's day zero."""
    if not isinstance(value, datetime | str):
        return None
    try:
        return utc(str(value))
    except ValueError:
        return None


def clean(value: Any) -> Any:
    """Replace what Postgres cannot store (NUL, lone halves of surrogate pairs), and write numbers as it does."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {clean(key): clean(one) for key, one in value.items()}
    return [clean(one) for one in value] if isinstance(value, list) else value


def payload(raw: Any) -> tuple[dict[str, Any], str | None]:
    """Read a payload; what is no JSON object is kept as text, with a remark."""
    try:
        read = json.loads(raw) if isinstance(raw, str | bytes) else raw
        json.dumps(read, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        read = None
    if isinstance(read, dict):
        return clean(read), None
    if raw is None:
        return {}, "its payload is NULL"
    as_text = raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
    return {"text": clean(as_text)}, "its payload is not a JSON object, kept as text"


def segment(old: Old, now: datetime) -> Converted:
    """Convert a row of failover_segments."""
    remarks = [] if old.get("enabled", True) is not None else ["enabled was NULL: it is enabled here"]
    if old["recovery_method"] not in list(RecoveryMethod):
        raise Unusable(f"unknown recovery method {old['recovery_method']}")
    values = {
        "uuid": _needed(old, "uuid", 36),
        "name": _needed(old, "name", 255),
        "service_type": _text(old, "service_type"),
        "enabled": bool(old.get("enabled", True)) or bool(remarks),
        "description": clean(old.get("description")),
        "recovery_method": old["recovery_method"],
    }
    return Converted({**values, **_times(old, now)}, remarks)


def host(old: Old, now: datetime) -> Converted:
    """Convert a row of hosts."""
    values = {
        "uuid": _needed(old, "uuid", 36),
        "name": _needed(old, "name", 255),
        "type": _text(old, "type"),
        "control_attributes": _text(old, "control_attributes"),
        "reserved": bool(old.get("reserved")),
        "on_maintenance": bool(old.get("on_maintenance")),
        "failover_segment_id": _needed(old, "failover_segment_id", 36),
    }
    return Converted({**values, **_times(old, now)})


def notification(old: Old, now: datetime) -> Converted:
    """Convert a row of notifications; one that is not final becomes so, since history must not be recovered."""
    if old["type"] not in list(NotificationType):
        raise Unusable(f"unknown type {old['type']}")
    times = _times(old, now)
    content, odd = payload(old.get("payload"))
    status, remark = _ended(old["status"])
    message = "; ".join(one for one in (clean(old.get("message")), remark) if one)
    values = {
        "notification_uuid": _needed(old, "notification_uuid", 36),
        "generated_time": time(old.get("generated_time")) or times["created_at"],
        "source_host_uuid": _needed(old, "source_host_uuid", 36),
        "type": old["type"],
        "payload": content,
        "instance_uuid": instance_of(content),
        "status": status,
        "failover_segment_uuid": old.get("failover_segment_uuid"),
        "message": message or None,
    }
    return Converted({**values, **times}, [one for one in (odd, remark) if one])


def _ended(status: Any) -> tuple[str, str | None]:
    if status not in list(NotificationStatus):
        return NotificationStatus.FAILED, f"imported from Masakari with the unknown status {status}"
    if status not in OPEN_NOTIFICATION:
        return status, None
    ended = NotificationStatus.IGNORED if status == NotificationStatus.NEW else NotificationStatus.FAILED
    return ended, f"imported from Masakari while it was {status}: nothing is recovered for it here"


def vmove(old: Old, now: datetime) -> Converted:
    """Convert a row of vmoves; one that is not final has failed."""
    status, remark = old.get("status"), None
    if status not in list(VMoveStatus) or status in OPEN_VMOVE:
        status, remark = VMoveStatus.FAILED, f"imported from Masakari while it was {status}"
    message = "; ".join(one for one in (clean(old.get("message")), remark) if one)
    values = {
        "uuid": _needed(old, "uuid", 36),
        "notification_uuid": _needed(old, "notification_uuid", 36),
        "instance_uuid": _needed(old, "instance_uuid", 36),
        "instance_name": _text(old, "instance_name"),
        "source_host": _text(old, "source_host"),
        "dest_host": clean(old.get("dest_host")),
        "start_time": time(old.get("start_time")),
        "end_time": time(old.get("end_time")),
        "type": old.get("type") or "evacuation",
        "status": status,
        "message": message or None,
        # No attempt here has the number 0; Masakari retries an instance without a trace, hence its id as round.
        "attempt": 0,
        "round": old["id"],
        "step": VMoveStep.SETTLE,
        "facts": {},
    }
    return Converted({**values, **_times(old, now)}, [remark] if remark else [])


BY_TABLE: dict[str, Callable[[Old, datetime], Converted]] = {
    "failover_segments": segment,
    "hosts": host,
    "notifications": notification,
    "vmoves": vmove,
}


def _times(old: Old, now: datetime) -> dict[str, Any]:
    updated, deleted = time(old.get("updated_at")), time(old.get("deleted_at"))
    created = time(old.get("created_at")) or time(old.get("generated_time")) or updated or deleted or now
    gone = bool(old["deleted"]) if old.get("deleted") is not None else deleted is not None
    return {
        "created_at": created,
        "updated_at": updated,
        "deleted_at": (deleted or updated or created) if gone else None,
    }


def _needed(old: Old, column: str, most: int) -> str:
    value = old.get(column)
    if not value:
        raise Unusable(f"it has no {column}")
    if len(str(value)) > most:
        raise Unusable(f"its {column} is too long")
    return str(clean(str(value)))


def _text(old: Old, column: str) -> str:
    return str(clean(str(old.get(column) or "")))
