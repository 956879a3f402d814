"""Events that no function took: a broker's dead letters come here, are logged, and are at their end.

Nothing is done about them, since nothing depends on them: every row says itself when it is due, and ``sweep`` finds it.
"""

from flask import Request, Response

from instance_ha import log

PATH = "/dead-letters"
_ATTRIBUTES = ("type", "subject", "id", "knativeerrorcode", "knativeerrordest")
_MOST = 200  # characters of each: whoever reaches us may have written them


def take(request: Request) -> Response:
    """Log a dead letter."""
    told = {name: request.headers.get(f"ce-{name}", "")[:_MOST] for name in _ATTRIBUTES}
    log.get().warning("dead letter", **{f"event_{name}": value for name, value in told.items() if value})
    return Response(status=204)
