"""Rows as the API shows them."""

from typing import Any

from instance_ha.api.schemas.hosts import Host
from instance_ha.api.schemas.notifications import Notification, NotificationDetail, ProgressDetail, TaskProgress
from instance_ha.api.schemas.segments import Segment
from instance_ha.api.schemas.vmoves import VMove
from instance_ha.models import rows


def _record(row: rows.Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "created_at": row.created_at.replace(microsecond=0),
        "updated_at": row.updated_at.replace(microsecond=0) if row.updated_at else None,
        "deleted_at": row.deleted_at,
        "deleted": row.deleted_at is not None,
    }


def segment(row: rows.Segment) -> Segment:
    """Show a segment."""
    return Segment(
        **_record(row),
        uuid=row.uuid,
        name=row.name,
        service_type=row.service_type,
        enabled=row.enabled,
        description=row.description,
        recovery_method=row.recovery_method,
    )


def host(row: rows.Host, of: rows.Segment) -> Host:
    """Show a host with its segment."""
    return Host(
        **_record(row),
        uuid=row.uuid,
        name=row.name,
        failover_segment_id=row.failover_segment_id,
        failover_segment=segment(of),
        type=row.type,
        reserved=row.reserved,
        control_attributes=row.control_attributes,
        on_maintenance=row.on_maintenance,
    )


def notification(row: rows.Notification) -> Notification:
    """Show a notification."""
    return Notification(**_notification(row))


def notification_detail(row: rows.Notification, tasks: list[rows.TaskRow] | None) -> NotificationDetail:
    """Show a notification, with the progress of its recovery if that is given."""
    progress = {} if tasks is None else {"recovery_workflow_details": [_task(task) for task in tasks if task.details]}
    return NotificationDetail(**_notification(row), **progress)


def _notification(row: rows.Notification) -> dict[str, Any]:
    return _record(row) | {
        "notification_uuid": row.notification_uuid,
        "generated_time": row.generated_time,
        "source_host_uuid": row.source_host_uuid,
        "type": row.type,
        "payload": row.payload,
        "status": row.status,
        "failover_segment_uuid": row.failover_segment_uuid,
        "message": row.message,
    }


def _task(row: rows.TaskRow) -> TaskProgress:
    details = [ProgressDetail(**line) for line in row.details]
    return TaskProgress(name=row.name, progress=row.progress, state=row.state, progress_details=details)


def vmove(row: rows.VMove) -> VMove:
    """Show a vmove."""
    return VMove(
        **_record(row),
        uuid=row.uuid,
        notification_uuid=row.notification_uuid,
        instance_uuid=row.instance_uuid,
        instance_name=row.instance_name,
        source_host=row.source_host,
        dest_host=row.dest_host,
        start_time=row.start_time,
        end_time=row.end_time,
        type=row.type,
        status=row.status,
        message=row.message,
    )
