"""Rows and facts with everything filled in; a test says only what it is about."""

from datetime import UTC, datetime
from typing import Any

from instance_ha.models.cloud import ComputeService, Migration, Server
from instance_ha.models.enums import (
    Flow,
    NotificationStatus,
    NotificationType,
    RecoveryMethod,
    VMoveStatus,
    VMoveStep,
)
from instance_ha.models.rows import Host, Notification, Segment, TaskRow, VMove

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
STOPPED = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}


def segment(**about: Any) -> Segment:
    """A segment."""
    values = {
        "id": 1,
        "created_at": NOW,
        "uuid": "segment",
        "name": "rack",
        "service_type": "COMPUTE",
        "recovery_method": RecoveryMethod.AUTO,
    }
    return Segment(**(values | about))  # type: ignore[arg-type]


def host(**about: Any) -> Host:
    """A host."""
    values = {
        "id": 1,
        "created_at": NOW,
        "uuid": "host",
        "name": "compute1",
        "type": "COMPUTE",
        "control_attributes": "SSH",
        "failover_segment_id": "segment",
    }
    return Host(**(values | about))  # type: ignore[arg-type]


def notification(**about: Any) -> Notification:
    """A notification of a host that has died."""
    values = {
        "id": 1,
        "created_at": NOW,
        "notification_uuid": "notification",
        "generated_time": NOW,
        "source_host_uuid": "host",
        "type": NotificationType.COMPUTE_HOST,
        "payload": STOPPED,
        "status": NotificationStatus.NEW,
    }
    return Notification(**(values | about))  # type: ignore[arg-type]


def task(**about: Any) -> TaskRow:
    """A task of a recovery."""
    values = {
        "id": 1,
        "notification_uuid": "notification",
        "attempt": 1,
        "position": 0,
        "flow": Flow.HOST_AUTO,
        "name": "EvacuateInstancesTask",
    }
    return TaskRow(**(values | about))  # type: ignore[arg-type]


def vmove(**about: Any) -> VMove:
    """A vmove whose evacuation has been asked for."""
    values = {
        "id": 1,
        "created_at": NOW,
        "uuid": "vmove",
        "notification_uuid": "notification",
        "instance_uuid": "instance",
        "instance_name": "vm",
        "source_host": "compute1",
        "status": VMoveStatus.ONGOING,
        "step": VMoveStep.WATCHED,
        "asked_at": NOW,
    }
    return VMove(**(values | about))  # type: ignore[arg-type]


def server(**about: Any) -> Server:
    """An active instance on compute1."""
    values = {
        "id": "instance",
        "name": "vm",
        "host": "compute1",
        "vm_state": "active",
        "task_state": None,
        "power_state": 1,
        "locked": False,
    }
    return Server(**(values | about))


def service(**about: Any) -> ComputeService:
    """The compute service of a working host."""
    values = {"id": "service", "host": "compute1", "up": True, "disabled": False}
    return ComputeService(**(values | about))  # type: ignore[arg-type]


def migration(status: str, **about: Any) -> Migration:
    """Nova's record of an evacuation."""
    return Migration(**({"id": 1, "server_id": "instance", "status": status, "source_host": "compute1"} | about))  # type: ignore[arg-type]
