"""What tasks of others are told of a recovery."""

from instance_ha.models.custom import TaskFacts
from instance_ha.recovery.context import Recovery


def of(recovery: Recovery) -> TaskFacts:
    """Collect the facts."""
    report = recovery.notification
    return TaskFacts(
        notification_uuid=report.notification_uuid,
        type=str(report.type),
        attempt=report.attempt,
        host=recovery.host.name,
        segment_uuid=report.failover_segment_uuid,
        instance_uuid=report.payload.get("instance_uuid"),
        process_name=report.payload.get("process_name"),
    )
