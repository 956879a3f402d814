"""relay: events go from the outbox to their sinks."""

import functions_framework
from flask import Request, Response
from instance_ha import relay as outbox
from instance_ha.composition import Composition
from instance_ha.serving import cron_function

FUNCTION = cron_function("relay", outbox.relay, Composition.relay, events=False)


@functions_framework.http
def relay(request: Request) -> Response:
    """Take one tick."""
    return FUNCTION(request)
