"""``/notifications`` (reference, section 1.11)."""

from instance_ha import log
from instance_ha.api import bodies, query, views
from instance_ha.api.web import Call, Reply, Route
from instance_ha.decide.reports import is_duplicate
from instance_ha.models.errors import BadRequest, Conflict
from instance_ha.models.rows import Host, Notification
from instance_ha.models.work import Work, recovery_of
from instance_ha.store import hosts, notifications, tasks

_FILTERS = {"status": query.text, "type": query.text, "source_host_uuid": query.text}
_HAS_PROGRESS = (1, 1)
_LOOK_BACK = 20  # equal reports of one host that are compared; far more than an interval can hold


def index(call: Call) -> Reply:
    """List."""
    wanted = query.page(call, _FILTERS)
    since = query.time(call, "generated-since")
    with call.world.database.begin() as connection:
        found = notifications.page(connection, wanted, since)
    return Reply(200, {"notifications": [views.notification(row) for row in found]})


def create(call: Call) -> Reply:
    """Take a report of a failure; once it is stored nothing can lose it."""
    report = _read(call)
    payload = report.payload.given()
    now = call.world.clock.now()
    with call.world.database.begin() as connection:
        # The lock makes equal reports come one after the other: the second one finds the first.
        host = _host(hosts.by_name(connection, report.hostname, lock=True), report.hostname)
        for earlier in notifications.like(connection, host.uuid, report.type, payload, _LOOK_BACK):
            _refuse_duplicate(call, earlier, report)
        row = notifications.create(
            connection,
            {
                "generated_time": report.generated_time,
                "source_host_uuid": host.uuid,
                "type": report.type,
                "payload": payload,
                "failover_segment_uuid": host.failover_segment_id,
                "request_id": call.request_id,
            },
            now,
        )
    with log.bound(notification_uuid=row.notification_uuid):
        log.get().info("failure reported", host=host.name, type=report.type, payload=payload)
        call.world.publisher.publish([Work(recovery_of(row.type), row.notification_uuid, call.request_id)])
    return Reply(202, {"notification": views.notification(row)})


Report = bodies.NewHostNotification | bodies.NewProcessNotification | bodies.NewInstanceNotification


def _read(call: Call) -> Report:
    inner = call.body.get("notification") if isinstance(call.body, dict) else None
    kind = inner.get("type") if isinstance(inner, dict) else None
    if isinstance(inner, dict) and (not isinstance(kind, str) or kind not in bodies.NEW_NOTIFICATION):
        raise BadRequest(f"Invalid input for type: must be one of {', '.join(bodies.NEW_NOTIFICATION)}")
    return bodies.read(call.body, "notification", bodies.NEW_NOTIFICATION[str(kind or "COMPUTE_HOST")])


def _host(host: Host | None, name: str) -> Host:
    if host is None:
        raise BadRequest(f"host {name} is not registered in any segment")
    if host.on_maintenance:
        raise Conflict(f"host {name} is on maintenance: its failures are not handled")
    return host


def _refuse_duplicate(call: Call, earlier: Notification, report: Report) -> None:
    interval = call.world.settings.duplicate_notification_detection_interval
    if is_duplicate(earlier, report.generated_time, call.world.clock.now(), interval):
        raise Conflict(f"the failure has been reported already, as notification {earlier.notification_uuid}")


def show(call: Call) -> Reply:
    """Show; from 1.1 on with the progress of its recovery."""
    with call.world.database.begin() as connection:
        row = notifications.find(connection, call.path["notification_id"])
        shown = views.notification(row)
        if call.version >= _HAS_PROGRESS:
            done = tasks.of_notification(connection, row.notification_uuid)
            shown["recovery_workflow_details"] = views.progress(done)
    return Reply(200, {"notification": shown})


ROUTES = (
    Route("/notifications", {"GET": index, "POST": create}),
    Route("/notifications/<notification_id>", {"GET": show}),
)
