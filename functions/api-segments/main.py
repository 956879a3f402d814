"""api-segments: the REST API of segments, and the documents about the API."""

import functions_framework
from flask import Request, Response
from instance_ha.api import description, extensions, segments, versions
from instance_ha.serving import api_function

FUNCTION = api_function("api-segments", segments.ROUTES + extensions.ROUTES + description.ROUTES + versions.ROUTES)


@functions_framework.http
def api_segments(request: Request) -> Response:
    """Answer one request."""
    return FUNCTION(request)
