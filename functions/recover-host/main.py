"""recover-host: one share of the recovery of a host, or of its return."""

import functions_framework
from flask import Request, Response
from instance_ha import startup
from instance_ha.models.triggers import RECOVER_HOST, RETURN_HOST
from instance_ha.recovery import flows, workflow
from instance_ha.recovery.returning.workflow import return_host
from instance_ha.serving import event_function

FUNCTION = event_function(
    "recover-host",
    {RECOVER_HOST: workflow.recover, RETURN_HOST: return_host},
    flows.check,
    startup.check_fencing,
)


@functions_framework.http
def recover_host(request: Request) -> Response:
    """Take one event."""
    return FUNCTION(request)
