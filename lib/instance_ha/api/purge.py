"""``/x-instance-ha/purge``: Masakari has only a command for it. Its paths never begin with ``x-``."""

from instance_ha import purge as purging
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.purge import CreatePurge, Purge, PurgeEnvelope
from instance_ha.decide.purge import PurgeRequest
from instance_ha.world import ArchiveWorld


def create(call: Call, asked: CreatePurge) -> PurgeEnvelope:
    """Delete rows that ended long ago, archived before if there is a bucket."""
    assert isinstance(call.world, ArchiveWorld)  # the function purge alone serves this route
    request = PurgeRequest(**asked.purge.model_dump())
    result = purging.purge(call.world, request, call.world.deadline())
    shown = Purge(dry_run=request.dry_run, total=result.total, tables=dict(result.tables), complete=result.complete)
    return PurgeEnvelope(purge=shown)


ROUTES = (Route("/x-instance-ha/purge", {"POST": Operation(create, PurgeEnvelope, CreatePurge, "purge:run")}),)
