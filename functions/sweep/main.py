"""sweep: overdue work gets its event again."""

import functions_framework
from flask import Request, Response
from instance_ha.composition import Composition
from instance_ha.recovery import sweep as overdue
from instance_ha.serving import cron_function

FUNCTION = cron_function("sweep", overdue.sweep, Composition.sweep, tick_at_start=True)


@functions_framework.http
def sweep(request: Request) -> Response:
    """Take one tick."""
    return FUNCTION(request)
