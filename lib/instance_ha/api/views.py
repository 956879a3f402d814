"""Rows as the API shows them (reference, sections 1.9 to 1.12)."""

from datetime import UTC, datetime
from typing import Any

from instance_ha.models.rows import Host, Notification, Row, Segment, TaskRow, VMove


def time(value: datetime | None) -> str | None:
    """Write a time: UTC, six digits of fraction, no zone."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") if value else None


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "created_at": time(row.created_at.replace(microsecond=0)),
        "updated_at": time(row.updated_at.replace(microsecond=0)) if row.updated_at else None,
        "deleted_at": time(row.deleted_at),
        "deleted": row.deleted_at is not None,
    }


def segment(row: Segment) -> dict[str, Any]:
    """Show a segment."""
    return _row(row) | {
        "uuid": row.uuid,
        "name": row.name,
        "service_type": row.service_type,
        "enabled": row.enabled,
        "description": row.description,
        "recovery_method": str(row.recovery_method),
    }


def host(row: Host, of: Segment) -> dict[str, Any]:
    """Show a host with its segment."""
    return _row(row) | {
        "uuid": row.uuid,
        "name": row.name,
        "failover_segment_id": row.failover_segment_id,
        "failover_segment": segment(of),
        "type": row.type,
        "reserved": row.reserved,
        "control_attributes": row.control_attributes,
        "on_maintenance": row.on_maintenance,
    }


def notification(row: Notification) -> dict[str, Any]:
    """Show a notification."""
    return _row(row) | {
        "notification_uuid": row.notification_uuid,
        "generated_time": time(row.generated_time),
        "source_host_uuid": row.source_host_uuid,
        "type": str(row.type),
        "payload": row.payload,
        "status": str(row.status),
        "failover_segment_uuid": row.failover_segment_uuid,
        "message": row.message,
    }


def progress(rows: list[TaskRow]) -> list[dict[str, Any]]:
    """Show the tasks that have said something (reference, section 5.7)."""
    return [
        {"name": row.name, "progress": row.progress, "state": str(row.state), "progress_details": row.details}
        for row in rows
        if row.details
    ]


def vmove(row: VMove) -> dict[str, Any]:
    """Show a vmove."""
    return _row(row) | {
        "uuid": row.uuid,
        "notification_uuid": row.notification_uuid,
        "instance_uuid": row.instance_uuid,
        "instance_name": row.instance_name,
        "source_host": row.source_host,
        "dest_host": row.dest_host,
        "start_time": time(row.start_time),
        "end_time": time(row.end_time),
        "type": row.type,
        "status": str(row.status),
        "message": row.message,
    }
