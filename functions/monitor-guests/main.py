"""monitor-guests: asks guest agents for a sign of life, and reports guests that have stopped giving one."""

import functions_framework
from flask import Request, Response
from instance_ha.monitoring import guests
from instance_ha.serving import monitor_function
from instance_ha.startup import check_guests

FUNCTION = monitor_function("monitor-guests", guests.watch, check_guests)


@functions_framework.http
def monitor_guests(request: Request) -> Response:
    """Take one tick."""
    return FUNCTION(request)
