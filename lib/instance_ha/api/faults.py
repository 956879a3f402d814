"""Errors as the API words them, everywhere the same."""

import json

from flask import Response

from instance_ha import masking
from instance_ha.models.errors import CloudUnavailable, MethodNotAllowed, Refused, TryAgain

_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    501: "notImplemented",
    503: "serviceUnavailable",
}

_RETRY_AFTER = "5"  # seconds


def fault(code: int, message: str) -> Response:
    """Build the answer for an error."""
    body = {_NAMES.get(code, "masakariFault"): {"code": code, "message": message}}
    return Response(json.dumps(body), code, content_type="application/json; charset=UTF-8")


def of(error: Refused) -> Response:
    """Build the answer for a refusal."""
    response = fault(error.code, str(error))
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.allowed))
    return response


def unavailable(error: TryAgain) -> Response:
    """Build the answer for a passing trouble. What failed between us and the cloud is in the log: it has addresses."""
    hidden = isinstance(error, CloudUnavailable)
    response = fault(503, "Keystone or Nova is not available, try again" if hidden else masking.masked(str(error)))
    response.headers["Retry-After"] = _RETRY_AFTER
    return response
