"""The nova-compute of a host: how it falls silent, and what it does when it comes back."""

from datetime import datetime

from instance_ha_simulator.cloud import resets
from instance_ha_simulator.cloud.model import Host
from instance_ha_simulator.cloud.world import World


def silence(world: World, host: Host, *, guests_run: bool) -> None:
    """Have it report no more, while the guests of its host run on or do not."""
    if host.alive:
        host.last_report = host.reported_at(world.now, world.options.report_interval)
    host.alive, host.guests_run = False, guests_run
    host.starts += 1


def start(world: World, host: Host) -> None:
    """Have it back after `startup_seconds`, unless its host starts once more meanwhile."""
    host.starts += 1
    nth = host.starts

    def arrive(at: datetime) -> None:
        if host.starts == nth and not host.alive:
            _arrive(world, host, at)

    world.timeline.at(world.now, world.options.startup_seconds, arrive)


def _arrive(world: World, host: Host, at: datetime) -> None:
    was_reset, host.guests_run = not host.guests_run, False
    host.alive, host.started_at = True, at
    left = set()  # nova-compute removes the guests of these before it starts any
    for migration in world.migrations:
        of_it = migration.source_compute == host.name
        if of_it and migration.status in ("accepted", "pre-migrating", "done"):
            migration.become(at, "completed")
            left.add(migration.instance_uuid)
    if was_reset:
        resets.boot(world, host, at, left)
    waiting, host.waiting = host.waiting, []
    for event in waiting:
        world.timeline.at(at, 0, event)
