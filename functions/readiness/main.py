"""readiness: what each segment would survive, before anything has failed."""

import functions_framework
from flask import Request, Response
from instance_ha.composition import Composition
from instance_ha.monitoring.readiness import check
from instance_ha.serving import monitor_function
from instance_ha.startup import check_fencing

FUNCTION = monitor_function("readiness", check, Composition.readiness, check_fencing)


@functions_framework.http
def readiness(request: Request) -> Response:
    """Take one tick."""
    return FUNCTION(request)
