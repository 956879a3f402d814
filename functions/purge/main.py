"""purge: rows that ended long ago are archived and deleted."""

import functions_framework
from flask import Request, Response
from instance_ha import purge as purging
from instance_ha.api.purge import ROUTES
from instance_ha.serving import purge_function

FUNCTION = purge_function("purge", ROUTES, purging.scheduled)


@functions_framework.http
def purge(request: Request) -> Response:
    """Take one tick, or answer one request."""
    return FUNCTION(request)
