"""sweep: whatever is overdue gets its event again, so that nothing depends on a broker, or on a killed invocation."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, bindparam, or_

from instance_ha import log
from instance_ha.models.enums import NotificationStatus
from instance_ha.models.triggers import EVACUATE_INSTANCE, RETURN_HOST, Trigger, recovery_of
from instance_ha.store import leases, notifications, outlook, schema
from instance_ha.ticks import repeat
from instance_ha.world import SweepWorld

_BATCH = 500
_SOON = timedelta(milliseconds=10)
_NOT_TOO_NEW = or_(
    schema.notifications.c.status != NotificationStatus.NEW,
    schema.notifications.c.created_at <= bindparam("new_since"),
    schema.notifications.c.held_since.is_not(None),
)


def sweep(world: SweepWorld) -> None:
    """Work off what is overdue, and what has expired, until the next tick is near."""
    expiry_due: datetime | None = None

    def once(world: SweepWorld, _end: datetime) -> datetime:
        nonlocal expiry_due
        now = world.clock.now()
        with world.database.read() as connection:
            expected = outlook.read(connection, now)
        expired = 0
        if expiry_due is None or now >= expiry_due:
            expiry_due = now + timedelta(seconds=world.settings.check_expired_notifications_interval)
            if expected.oldest_at_work is not None and expected.oldest_at_work < _expired_before(world, now):
                expired = expire_once(world)
        due = expected.due(now)
        if expired:
            due |= {schema.notifications}
        if due:
            sweep_once(world, due)
        soon = [] if expected.coming is None else [expected.coming + _SOON]  # a lease that ended is found at once
        return min([now + timedelta(seconds=world.settings.sweep_interval), *soon])

    repeat(world, "sweep", once, world.settings.sweep_interval, lasts=world.settings.sweep_time)


def _expired_before(world: SweepWorld, now: datetime) -> datetime:
    return now - timedelta(seconds=world.settings.notifications_expired_interval)


def expire_once(world: SweepWorld) -> int:
    """Take recoveries that have lasted too long from their invocations; the next one that claims one ends it."""
    now = world.clock.now()
    with world.database.begin() as connection:
        return notifications.take_expired(connection, _expired_before(world, now), now)


def sweep_once(world: SweepWorld, tables: Collection[Table]) -> int:
    """Send the events of all rows of the tables that are overdue now, the longest overdue first; returns how many."""
    now, grace = world.clock.now(), world.settings.sweep_grace
    patience = timedelta(seconds=world.settings.retry_notification_new_status_interval)
    with world.database.begin() as connection:

        def take(table: Table, *where: ColumnElement[bool], **values: datetime) -> Sequence[Row[Any]]:
            if table not in tables:
                return ()
            return leases.take_overdue(connection, table, now, grace, _BATCH, *where, **values)

        late_notifications = take(schema.notifications, _NOT_TOO_NEW, new_since=now - patience)
        late_vmoves, late_returns = take(schema.vmoves), take(schema.returns)
    overdue = [Trigger(recovery_of(row.type), row.notification_uuid) for row in late_notifications]
    overdue += [Trigger(EVACUATE_INSTANCE, row.uuid) for row in late_vmoves]
    overdue += [Trigger(RETURN_HOST, row.uuid) for row in late_returns]
    if late_notifications or late_vmoves:  # a return that waits is only checked again
        log.get().info("overdue triggers sent again", notifications=len(late_notifications), vmoves=len(late_vmoves))
    if overdue:
        world.publisher.publish(overdue, now)
    return len(overdue)
