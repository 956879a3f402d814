"""api-notifications: the REST API of notifications and their vmoves."""

import functions_framework
from flask import Request, Response
from instance_ha.api import notifications, vmoves
from instance_ha.serving import api_function

FUNCTION = api_function("api-notifications", notifications.ROUTES + vmoves.ROUTES, events=True)


@functions_framework.http
def api_notifications(request: Request) -> Response:
    """Answer one request."""
    return FUNCTION(request)
