"""recover-instance: one share of the recovery of a failed instance, or of the evacuation of one."""

import functions_framework
from flask import Request, Response
from instance_ha.models.triggers import EVACUATE_INSTANCE, RECOVER_INSTANCE
from instance_ha.recovery import flows, workflow
from instance_ha.recovery.evacuation import handler
from instance_ha.serving import event_function

FUNCTION = event_function(
    "recover-instance",
    {RECOVER_INSTANCE: workflow.recover, EVACUATE_INSTANCE: handler.evacuate},
    flows.check,
)


@functions_framework.http
def recover_instance(request: Request) -> Response:
    """Take one event."""
    return FUNCTION(request)
