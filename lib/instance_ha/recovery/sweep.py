"""sweep: whatever is overdue gets its event again, so that nothing depends on a broker, or on who was killed."""

from datetime import timedelta

from sqlalchemy import or_

from instance_ha import log
from instance_ha.models.errors import StoreUnavailable
from instance_ha.models.triggers import EVACUATE_INSTANCE, Trigger, recovery_of
from instance_ha.store import leases
from instance_ha.store import notifications as reports
from instance_ha.store.schema import notifications, vmoves
from instance_ha.world import World

_BATCH = 500


def sweep(world: World) -> int:
    """Look again and again for the time of one invocation; returns how many events were sent."""
    settings, sent = world.settings, 0
    deadline, expiry_due = world.deadline(), world.clock.now()
    while True:
        try:
            if world.clock.now() >= expiry_due:
                expire_once(world)
                expiry_due += timedelta(seconds=settings.check_expired_notifications_interval)
            sent += sweep_once(world)
        except StoreUnavailable as error:
            log.get().warning("cannot look for overdue work", reason=str(error))
        if world.clock.now() + timedelta(seconds=settings.sweep_interval) >= deadline:
            return sent
        world.clock.sleep(settings.sweep_interval)


def expire_once(world: World) -> None:
    """Take recoveries that have lasted too long from whoever works on them; the next who claims one ends it."""
    now = world.clock.now()
    before = now - timedelta(seconds=world.settings.notifications_expired_interval)
    with world.database.begin() as connection:
        reports.take_expired(connection, before, now)


def sweep_once(world: World) -> int:
    """Send the events of all rows that are overdue now, the longest overdue first."""
    now, grace = world.clock.now(), world.settings.sweep_grace
    patience = timedelta(seconds=world.settings.retry_notification_new_status_interval)
    not_too_new = or_(notifications.c.status != "new", notifications.c.created_at <= now - patience)
    with world.database.begin() as connection:
        late_reports = leases.take_overdue(connection, notifications, now, grace, _BATCH, not_too_new)
        late_moves = leases.take_overdue(connection, vmoves, now, grace, _BATCH)
    overdue = [Trigger(recovery_of(row.type), row.notification_uuid) for row in late_reports]
    overdue += [Trigger(EVACUATE_INSTANCE, row.uuid) for row in late_moves]
    if overdue:
        log.get().info("overdue work sent again", notifications=len(late_reports), vmoves=len(late_moves))
        world.publisher.publish(overdue)
    return len(overdue)
