"""sweep: whatever is overdue gets its event again, so that nothing depends on a broker, or on who was killed."""

from datetime import timedelta

from instance_ha import log
from instance_ha.decide import reports
from instance_ha.models.errors import StoreUnavailable
from instance_ha.models.work import EVACUATE_INSTANCE, Work, recovery_of
from instance_ha.recovery.expiry import end_expired
from instance_ha.store import notifications, work
from instance_ha.store.schema import vmoves
from instance_ha.world import World

_BATCH = 500
_SCHEDULE = timedelta(seconds=60)  # how often sweep is called (stack.yml)


def sweep(world: World) -> int:
    """Look again and again for the time of one invocation; returns how many events were sent."""
    settings, sent = world.settings, 0
    deadline, before = world.deadline(), world.clock.now() - _SCHEDULE
    while True:
        now = world.clock.now()
        try:
            if reports.falls_between(before, now, settings.check_expired_notifications_interval):
                sent += end_expired(world)
            sent += sweep_once(world)
        except StoreUnavailable as error:
            log.get().warning("cannot look for overdue work", reason=str(error))
        if world.clock.now() + timedelta(seconds=settings.sweep_interval) >= deadline:
            return sent
        before = now
        world.clock.sleep(settings.sweep_interval)


def sweep_once(world: World) -> int:
    """Send the events of all rows that are overdue now, oldest first."""
    now, settings = world.clock.now(), world.settings
    grace_new = settings.retry_notification_new_status_interval
    with world.database.begin() as connection:
        late_reports = notifications.take_overdue(connection, now, grace_new, settings.sweep_grace, _BATCH)
        late_moves = work.take_overdue(connection, vmoves, now, settings.sweep_grace, _BATCH)
    overdue = [Work(recovery_of(row.type), row.notification_uuid) for row in late_reports]
    overdue += [Work(EVACUATE_INSTANCE, row.uuid) for row in late_moves]
    if overdue:
        log.get().info("overdue work sent again", notifications=len(late_reports), vmoves=len(late_moves))
        world.publisher.publish(overdue)
    return len(overdue)
