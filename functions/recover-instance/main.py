"""recover-instance: one share of the evacuation of an instance."""

import functions_framework
from flask import Request, Response
from instance_ha.entry import event_function
from instance_ha.models.work import RECOVER_INSTANCE
from instance_ha.recovery import instance

_handle = event_function("recover-instance", RECOVER_INSTANCE, instance.recover_instance)


@functions_framework.http
def recover_instance(request: Request) -> Response:
    """Take one event."""
    return _handle(request)
