"""api-hosts: the REST API of the hosts of a segment."""

import functions_framework
from flask import Request, Response
from instance_ha.api import hosts
from instance_ha.serving import api_function

FUNCTION = api_function("api-hosts", hosts.ROUTES)


@functions_framework.http
def api_hosts(request: Request) -> Response:
    """Answer one request."""
    return FUNCTION(request)
