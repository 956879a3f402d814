"""readiness: finds out what each segment would survive, and writes it down, before anything has failed."""

from datetime import datetime

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide.readiness_promise import trouble
from instance_ha.models.readiness import SegmentReadiness, StoredReadiness
from instance_ha.planning.readiness import readiness
from instance_ha.store import readiness as store
from instance_ha.world import ReadinessWorld


def check(world: ReadinessWorld) -> None:
    """Check all segments once; what another invocation has found since this one began counts for more."""
    world = world.for_invocation()
    began = world.clock.now()
    found = {one.segment_uuid: one for one in readiness(world)}
    with world.database.begin() as connection:
        for uuid, before in store.take(connection, found).items():
            if before.checked_at < began:
                _write(world, connection, found[uuid], before, began)


def _write(
    world: ReadinessWorld, connection: Connection, found: SegmentReadiness, before: StoredReadiness, now: datetime
) -> None:
    broken = trouble(found, world.settings.readiness_survives, before.known_survives)
    has_changed = (broken is None) != (before.trouble is None)
    store.write(connection, found, broken, now if has_changed else before.since, now)
    if not has_changed:
        return
    emit.readiness_changed(world, connection, found.segment_uuid)
    if broken is None:
        log.get().info("readiness as promised again", segment=before.segment_name)
    else:
        log.get().warning("readiness less than promised", segment=before.segment_name, reason=broken)
