"""``/notifications/{id}/vmoves``."""

from sqlalchemy import Connection

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.vmoves import VMove, VMoveEnvelope, VMovesEnvelope, VMovesQuery
from instance_ha.models.enums import NotificationType
from instance_ha.models.errors import BadRequest
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import notifications, vmoves


def index(call: Call, asked: VMovesQuery) -> VMovesEnvelope:
    """List the vmoves of a notification."""
    wanted = asked.page(call.world.settings.osapi_max_limit)
    with call.world.database.begin() as connection:
        found = vmoves.page(connection, _notification(connection, call), wanted)
    return VMovesEnvelope(vmoves=[VMove.model_validate(row) for row in found])


def show(call: Call, _: Nothing) -> VMoveEnvelope:
    """Show a vmove, of this notification only."""
    with call.world.database.begin() as connection:
        row = vmoves.find(connection, _notification(connection, call), call.vmove_uuid)
    return VMoveEnvelope(vmove=VMove.model_validate(row))


def _notification(connection: Connection, call: Call) -> NotificationUuid:
    row = notifications.find(connection, call.notification_uuid)
    if row.type is not NotificationType.COMPUTE_HOST:
        raise BadRequest(f"notification {row.notification_uuid} is of type {row.type}: only COMPUTE_HOST has vmoves")
    return row.notification_uuid


_LIST = "/notifications/<notification_id>/vmoves"

ROUTES = (
    Route(_LIST, {"GET": Operation(index, VMovesEnvelope, VMovesQuery, "vmoves:index", 200, (404,))}),
    Route(f"{_LIST}/<vmove_id>", {"GET": Operation(show, VMoveEnvelope, Nothing, "vmoves:detail", 200, (404,))}),
)
