"""Errors that the simulated services answer with."""

from typing import Any

_NOVA_KINDS = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    409: "conflictingRequest",
}


class ApiError(Exception):
    """A refusal: an HTTP status and a message, to be put into the service's own body shape."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def nova_body(status: int, message: str) -> dict[str, Any]:
    """Return Nova's body for an error (401 comes from its authentication filter, in Keystone's shape)."""
    if status == 401:
        return {"error": {"code": status, "title": "Unauthorized", "message": message}}
    return {_NOVA_KINDS.get(status, "computeFault"): {"code": status, "message": message}}


def bad_request(message: str) -> ApiError:
    """Return a 400."""
    return ApiError(400, message)


def not_found(message: str) -> ApiError:
    """Return a 404."""
    return ApiError(404, message)


def conflict(message: str) -> ApiError:
    """Return a 409."""
    return ApiError(409, message)


def forbidden(policy: str) -> ApiError:
    """Return the 403 of a policy rule."""
    return ApiError(403, f"Policy doesn't allow {policy} to be performed.")


def unauthorized() -> ApiError:
    """Return the 401 of a missing or bad token."""
    return ApiError(401, "The request you have made requires authentication.")
