"""api-notifications: the REST API of notifications, their vmoves, and of what decides over recoveries."""

import functions_framework
from flask import Request, Response
from instance_ha.api import (
    approvals,
    evidence,
    explanations,
    host_guards,
    incidents,
    notifications,
    pauses,
    policies,
    readiness,
    returns,
    vmoves,
)
from instance_ha.serving import api_function

ROUTES = (
    *notifications.ROUTES,
    *vmoves.ROUTES,
    *evidence.ROUTES,
    *policies.ROUTES,
    *explanations.ROUTES,
    *incidents.ROUTES,
    *pauses.ROUTES,
    *approvals.ROUTES,
    *readiness.ROUTES,
    *returns.ROUTES,
    *host_guards.ROUTES,
)
FUNCTION = api_function("api-notifications", ROUTES, events=True)


@functions_framework.http
def api_notifications(request: Request) -> Response:
    """Answer one request."""
    return FUNCTION(request)
