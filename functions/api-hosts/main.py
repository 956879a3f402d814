"""api-hosts: the REST API of the hosts of a segment, and of what would become of them."""

import functions_framework
from flask import Request, Response
from instance_ha.api import hosts, plans
from instance_ha.serving import api_function

FUNCTION = api_function("api-hosts", hosts.ROUTES + plans.ROUTES)


@functions_framework.http
def api_hosts(request: Request) -> Response:
    """Answer one request."""
    return FUNCTION(request)
