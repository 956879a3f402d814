"""``/notifications/{id}/vmoves`` (reference, section 1.12)."""

from sqlalchemy import Connection

from instance_ha.api import query, views
from instance_ha.api.web import Call, Reply, Route
from instance_ha.models.enums import NotificationType
from instance_ha.models.errors import BadRequest
from instance_ha.store import notifications, vmoves

_FILTERS = {"status": query.text, "type": query.text}


def index(call: Call) -> Reply:
    """List."""
    wanted = query.page(call, _FILTERS)
    with call.world.database.begin() as connection:
        found = vmoves.page(connection, _notification(connection, call), wanted)
    return Reply(200, {"vmoves": [views.vmove(row) for row in found]})


def show(call: Call) -> Reply:
    """Show one, of this notification only."""
    with call.world.database.begin() as connection:
        row = vmoves.find(connection, _notification(connection, call), call.path["vmove_id"])
    return Reply(200, {"vmove": views.vmove(row)})


def _notification(connection: Connection, call: Call) -> str:
    row = notifications.find(connection, call.path["notification_id"])
    if row.type is not NotificationType.COMPUTE_HOST:
        raise BadRequest(f"notification {row.notification_uuid} is of type {row.type}: only COMPUTE_HOST has vmoves")
    return row.notification_uuid


ROUTES = (
    Route("/notifications/<notification_id>/vmoves", {"GET": index}),
    Route("/notifications/<notification_id>/vmoves/<vmove_id>", {"GET": show}),
)
