"""console: the pages that operators look at."""

import functions_framework
from flask import Request, Response
from instance_ha.console.site import Site
from instance_ha.serving import console_function

SITE = Site()
FUNCTION = console_function("console", SITE.admit, SITE.answer, SITE.fault)


@functions_framework.http
def console(request: Request) -> Response:
    """Answer one request."""
    return FUNCTION(request)
