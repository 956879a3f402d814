"""``GET /_/metrics``, for callers with the token."""

from flask import Request, Response

from instance_ha import log
from instance_ha.api import faults
from instance_ha.models.errors import MethodNotAllowed, StoreUnavailable
from instance_ha.serving import bearer
from instance_ha.world import World

PATH = "/_/metrics"


def answer(request: Request, world: World) -> Response:
    """Answer Prometheus; without a token in the settings there is no such path."""
    if not world.settings.metrics_tokens:
        return faults.fault(404, "The resource could not be found.")
    if not bearer.is_known(request, world.settings.metrics_tokens):
        refused = faults.fault(401, "The metrics need a bearer token.")
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused
    if request.method not in {"GET", "HEAD"}:
        return faults.of(MethodNotAllowed(request.method, "GET", "HEAD"))
    from instance_ha.metrics.exposition import exposition, read  # not at each start, for what few instances are asked

    try:
        world.metrics.flush_now(world.database)
        values = read(world.database)
    except StoreUnavailable as error:
        log.get().warning("metrics not available", reason=str(error))
        return faults.fault(503, str(error))
    except Exception:  # the schema is not migrated yet, or a defect of ours
        log.get().exception("metrics not available")
        return faults.fault(503, "There are no metrics now; the log says why.")
    text, kind = exposition(values)
    return Response(text, content_type=kind)
