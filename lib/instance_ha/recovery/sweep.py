"""sweep: whatever is overdue gets its event again, so that nothing depends on a broker, or on who was killed."""

from datetime import timedelta

from instance_ha import log
from instance_ha.models.errors import StoreUnavailable
from instance_ha.models.work import EVACUATE_INSTANCE, Work, recovery_of
from instance_ha.store import notifications as reports
from instance_ha.store import work
from instance_ha.store.schema import notifications, vmoves
from instance_ha.world import World

_BATCH = 500


def sweep(world: World) -> int:
    """Look again and again for the time of one invocation; returns how many events were sent."""
    settings, sent = world.settings, 0
    deadline = world.deadline()
    while True:
        try:
            sent += sweep_once(world)
        except StoreUnavailable as error:
            log.get().warning("cannot look for overdue work", reason=str(error))
        if world.clock.now() + timedelta(seconds=settings.sweep_interval) >= deadline:
            return sent
        world.clock.sleep(settings.sweep_interval)


def sweep_once(world: World) -> int:
    """Send the events of all rows that are overdue now, the longest overdue first."""
    now, grace = world.clock.now(), world.settings.sweep_grace
    expired = now - timedelta(seconds=world.settings.notifications_expired_interval)
    with world.database.begin() as connection:
        reports.take_expired(connection, expired, now)
        late_reports = work.take_overdue(connection, notifications, now, grace, _BATCH)
        late_moves = work.take_overdue(connection, vmoves, now, grace, _BATCH)
    overdue = [Work(recovery_of(row.type), row.notification_uuid) for row in late_reports]
    overdue += [Work(EVACUATE_INSTANCE, row.uuid) for row in late_moves]
    if overdue:
        log.get().info("overdue work sent again", notifications=len(late_reports), vmoves=len(late_moves))
        world.publisher.publish(overdue)
    return len(overdue)
