"""Events that no function took: a broker's dead letters come here, are logged, and are at their end.

Nothing is done about them, since nothing depends on them: every row says itself when it is due, and ``sweep`` finds it.
"""

from flask import Request, Response

from instance_ha import log
from instance_ha.triggers import codec, signature
from instance_ha.world import World

PATH = "/dead-letters"
_ATTRIBUTES = ("type", "subject", "id", "knativeerrorcode", "knativeerrordest")
_MOST = 200  # characters of each
_DAY = 86400.0  # seconds; brokers try for a while before they give up


def take(request: Request, body: bytes, world: World) -> Response:
    """Log a dead letter.

    Raises:
        BadRequest: it is no event.
        Forbidden: it is none of ours, or it is from another day.

    """
    attributes, data = codec.read(dict(request.headers), body)
    signature.check(attributes, data, world.settings.trigger_keys, world.clock.now, _DAY)
    given = {name: str(attributes.get(name) or "")[:_MOST] for name in _ATTRIBUTES}
    log.get().warning("dead letter received", **{f"event_{name}": value for name, value in given.items() if value})
    return Response(status=204)
