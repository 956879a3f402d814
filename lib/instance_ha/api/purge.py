"""``/x-instance-ha/purge``: the original has only a command for it. Its paths never begin with ``x-``."""

from instance_ha import purge as purging
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.purge import CreatePurge, Purge, PurgeEnvelope
from instance_ha.decide.purge import Order


def create(call: Call, asked: CreatePurge) -> PurgeEnvelope:
    """Delete rows that ended long ago, archived before if there is a bucket."""
    order = Order(**asked.purge.model_dump())
    report = purging.purge(call.world, order)
    shown = Purge(dry_run=order.dry_run, total=report.total, tables=dict(report.tables), complete=report.complete)
    return PurgeEnvelope(purge=shown)


ROUTES = (Route("/x-instance-ha/purge", {"POST": Operation(create, PurgeEnvelope, CreatePurge, "purge:run")}),)
