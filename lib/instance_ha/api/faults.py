"""Errors as the API words them, everywhere the same."""

import json

from flask import Response

from instance_ha.models.errors import Refused

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


def fault(code: int, message: str) -> Response:
    """Build the answer for an error."""
    body = {_NAMES.get(code, "masakariFault"): {"code": code, "message": message}}
    return Response(json.dumps(body), code, content_type="application/json; charset=UTF-8")


def of(error: Refused) -> Response:
    """Build the answer for a refusal."""
    return fault(error.code, str(error))
