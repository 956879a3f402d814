"""Recoveries that have lasted too long: they are taken from whoever works on them, and end ``failed``."""

from contextlib import suppress
from datetime import timedelta

from instance_ha import log
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import CloudRefused
from instance_ha.models.rows import Notification
from instance_ha.models.work import Work, recovery_of
from instance_ha.store import notifications, tasks, vmoves
from instance_ha.store.work import Lease
from instance_ha.world import World

MESSAGE = "it was not done in time and has expired"


def end_expired(world: World) -> int:
    """Take away what has expired; whoever claims it next closes it. Returns how many there were."""
    now = world.clock.now()
    limit = timedelta(seconds=world.settings.notifications_expired_interval)
    with world.database.begin() as connection:
        expired = notifications.take_away_expired(connection, now - limit, now)
    if expired:
        log.get().warning("recoveries have expired", notifications=len(expired))
        world.step("expired-taken")
        world.publisher.publish(Work(recovery_of(row.type), row.notification_uuid) for row in expired)
    return len(expired)


def leave_behind(world: World, lease: Lease, notification: Notification) -> None:
    """Let the owners have their instances back, before the vmoves are closed: nobody comes to do it later."""
    uuid, now = notification.notification_uuid, world.clock.now()
    with world.database.begin() as connection:
        ongoing = vmoves.ongoing(connection, uuid)
    for move in ongoing:
        if move.locked_by_us:
            with suppress(CloudRefused):  # it is deleted
                world.nova.unlock(move.instance_uuid)
    world.step("expired-unlocked")
    with world.database.begin() as connection:
        lease.renew(connection, now)
        task = tasks.next_open(connection, uuid, notification.attempt)
        if task is not None and task.state is not TaskState.FAILURE:
            tasks.report(connection, task, now, 1.0, f"Failed: {MESSAGE}", TaskState.FAILURE)
