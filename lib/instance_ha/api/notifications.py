"""``/notifications``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas import notifications as schemas
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.notifications import (
    CreateNotification,
    NotificationDetail,
    NotificationDetailEnvelope,
    NotificationEnvelope,
    NotificationsEnvelope,
    NotificationsQuery,
    ProgressDetail,
    TaskProgress,
)
from instance_ha.decide import failures
from instance_ha.models.enums import NotificationStatus, NotificationType, TaskState
from instance_ha.models.errors import BadRequest, Conflict
from instance_ha.models.rows import Notification
from instance_ha.models.triggers import Trigger, recovery_of
from instance_ha.store import hosts, notifications, tasks

_NO_COLUMN = frozenset({"generated_since"})
_HAS_PROGRESS = (1, 1)
_STATES = {  # of the reason that is shown; a recovery that has finished has none
    NotificationStatus.NEW: TaskState.RUNNING,
    NotificationStatus.RUNNING: TaskState.RUNNING,
    NotificationStatus.ERROR: TaskState.FAILURE,
    NotificationStatus.FAILED: TaskState.FAILURE,
    NotificationStatus.IGNORED: TaskState.SUCCESS,
}
_REASON_LENGTH = 255  # characters


def index(call: Call, asked: NotificationsQuery) -> NotificationsEnvelope:
    """List notifications."""
    wanted = asked.page(call.world.settings.osapi_max_limit, apart=_NO_COLUMN)
    with call.world.database.begin() as connection:
        found = notifications.page(connection, wanted, asked.generated_since)
    return NotificationsEnvelope(notifications=[schemas.Notification.model_validate(row) for row in found])


def create(call: Call, asked: CreateNotification) -> NotificationEnvelope:
    """Take a report of a failure; once it is stored nothing can lose it."""
    posted = asked.notification
    payload = posted.payload.given()
    now, uuid = call.world.clock.now(), str(uuid4())
    with emit.change(call.world, "notification.create") as change, call.world.database.begin() as connection:
        # The lock makes equal reports come one after the other: the second one finds the first.
        host = hosts.by_name(connection, posted.hostname, lock=True)
        if host is None:
            raise BadRequest(f"host {posted.hostname} is not registered in any segment")
        recovery = notifications.by_uuid(connection, host.on_maintenance_for)
        if refused := failures.refusal(host, NotificationType(posted.type), recovery):
            raise Conflict(refused)
        values = {
            "generated_time": posted.generated_time,
            "source_host_uuid": host.uuid,
            "type": posted.type,
            "payload": payload,
        }
        _refuse_duplicate(call, connection, values, now)
        change.start(uuid, values | {"status": NotificationStatus.NEW})
        about = {"failover_segment_uuid": host.failover_segment_id, "request_id": call.request_id}
        row = notifications.create(connection, {"notification_uuid": uuid} | values | about, now)
        change.end(connection, vars(row))
    with log.bound(notification_uuid=row.notification_uuid):
        log.get().info("failure reported", host=host.name, type=posted.type, payload=payload)
        call.world.publisher.publish([Trigger(recovery_of(row.type), row.notification_uuid, call.request_id)], now)
    return NotificationEnvelope(notification=schemas.Notification.model_validate(row))


def _refuse_duplicate(call: Call, connection: Connection, values: Mapping[str, Any], now: datetime) -> None:
    interval = call.world.settings.duplicate_notification_detection_interval
    for earlier in notifications.like(connection, values, now, interval):
        if failures.is_duplicate(earlier, values["generated_time"], now, interval):
            raise Conflict(f"the failure has been reported already, as notification {earlier.notification_uuid}")


def show(call: Call, _: Nothing) -> NotificationDetailEnvelope:
    """Show a notification; from 1.1 on with the progress of its recovery."""
    with call.world.database.begin() as connection:
        row = notifications.find(connection, call.notification_uuid)
        detail = NotificationDetail.model_validate(row)
        if call.version >= _HAS_PROGRESS:
            done = tasks.of_notification(connection, row.notification_uuid)
            shown = [TaskProgress.model_validate(task) for task in done if task.details]
            detail.recovery_workflow_details = [*shown, *_reason(row)]
    return NotificationDetailEnvelope(notification=detail)


def _reason(row: Notification) -> list[TaskProgress]:
    """Say what a recovery waits for, or why it has failed, where stock clients show it: they leave `message` out."""
    state = _STATES.get(row.status)
    if row.message is None or state is None:
        return []
    time = (row.updated_at or row.created_at).strftime("%Y-%m-%d %H:%M:%S.%f")
    short = row.message if len(row.message) <= _REASON_LENGTH else f"{row.message[: _REASON_LENGTH - 1]}…"
    progress = 0.0 if state is TaskState.RUNNING else 1.0
    line = ProgressDetail(timestamp=time, progress=str(progress), message=short)
    return [TaskProgress(name="Reason", progress=progress, state=state, details=[line])]


ROUTES = (
    Route(
        "/notifications",
        {
            "GET": Operation(index, NotificationsEnvelope, NotificationsQuery, "notifications:index"),
            "POST": Operation(create, NotificationEnvelope, CreateNotification, "notifications:create", 202, (409,)),
        },
    ),
    Route(
        "/notifications/<notification_id>",
        {"GET": Operation(show, NotificationDetailEnvelope, Nothing, "notifications:detail", 200, (404,))},
    ),
)
