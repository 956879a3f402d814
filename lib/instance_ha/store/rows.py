"""From result rows to the frozen values of ``models.rows``."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from instance_ha.models.enums import (
    Flow,
    NotificationStatus,
    NotificationType,
    RecoveryMethod,
    TaskState,
    VMoveStatus,
    VMoveStep,
)
from instance_ha.models.rows import Host, InstanceFacts, Notification, Segment, TaskRow, VMove

Values = Mapping[Any, Any]


def segment(row: Values) -> Segment:
    """Build a segment."""
    return Segment(**{**row, "recovery_method": RecoveryMethod(row["recovery_method"])})


def host(row: Values) -> Host:
    """Build a host."""
    return Host(**row)


def notification(row: Values) -> Notification:
    """Build a notification."""
    kinds = {"type": NotificationType(row["type"]), "status": NotificationStatus(row["status"])}
    return Notification(**{**row, **kinds})


def vmove(row: Values) -> VMove:
    """Build a vmove."""
    kinds = {
        "status": VMoveStatus(row["status"]),
        "step": VMoveStep(row["step"]),
        "facts": InstanceFacts(**row["facts"]),
    }
    return VMove(**{**row, **kinds})


def task(row: Values) -> TaskRow:
    """Build a task of a flow."""
    return TaskRow(**{**row, "flow": Flow(row["flow"]), "state": TaskState(row["state"])})


def facts_json(facts: InstanceFacts) -> dict[str, Any]:
    """Write the facts as JSON holds them."""
    return asdict(facts)
