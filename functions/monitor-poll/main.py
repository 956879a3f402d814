"""monitor-poll: polls which hosts are up, and reports those that are not."""

import functions_framework
from flask import Request, Response
from instance_ha.composition import Composition
from instance_ha.monitoring import hosts
from instance_ha.serving import monitor_function
from instance_ha.startup import check_monitoring

FUNCTION = monitor_function("monitor-poll", hosts.poll, Composition.host_monitor, check_monitoring)


@functions_framework.http
def monitor_poll(request: Request) -> Response:
    """Take one tick."""
    return FUNCTION(request)
