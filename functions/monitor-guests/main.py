"""monitor-guests: pings guest agents, and reports guests whose agent has stopped answering."""

import functions_framework
from flask import Request, Response
from instance_ha.composition import Composition
from instance_ha.monitoring import guests
from instance_ha.serving import monitor_function
from instance_ha.startup import check_guests

FUNCTION = monitor_function("monitor-guests", guests.poll, Composition.guest_monitor, check_guests)


@functions_framework.http
def monitor_guests(request: Request) -> Response:
    """Take one tick."""
    return FUNCTION(request)
