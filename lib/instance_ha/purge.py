"""purge: rows that are old enough go, in bounded batches, archived before if there is a bucket.

It may be killed anywhere and run beside itself and beside recoveries: it deletes only what is over, and what was
written to the archive and read back from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from instance_ha import log
from instance_ha.archive import parcel
from instance_ha.decide.purge import Order, check, cutoff, room
from instance_ha.metrics.gather import take_in
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import ArchiveUnavailable, StoreUnavailable, TryAgain
from instance_ha.store import purge as store
from instance_ha.store.purge import RULES, Batch, Rule
from instance_ha.world import World, new_owner


@dataclass
class Report:
    """Rows per table; ``complete`` says that nothing is left that the time or ``max_rows`` did not allow."""

    tables: dict[str, int] = field(default_factory=lambda: {rule.table.name: 0 for rule in RULES})
    complete: bool = False

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.tables.values())


def scheduled(world: World) -> None:
    """Purge as the settings say."""
    settings = world.settings
    if settings.purge_age_in_days >= 0:
        purge(world, Order(settings.purge_age_in_days, settings.purge_max_rows))


def purge(world: World, order: Order) -> Report:
    """Purge for the time of one invocation at most.

    Raises:
        BadRequest: the order makes no sense.
        ArchiveUnavailable: the archive cannot be used; what had been archived before is deleted, and nothing else.

    """
    now = world.clock.now()
    check(order, now)
    report, before = Report(), cutoff(order, now)
    try:
        if order.dry_run:
            _count(world, order, before, report)
        else:
            _work_off(world, order, before, report)
    finally:
        log.get().info("purged", total=report.total, dry_run=order.dry_run or None, **_some(report.tables))
    return report


def _some(tables: Mapping[str, int]) -> dict[str, int]:
    return {name: rows for name, rows in tables.items() if rows}


def _count(world: World, order: Order, before: datetime, report: Report) -> None:
    for rule in RULES:
        with world.database.begin() as connection:
            found = store.count(connection, rule, before)
        report.tables[rule.table.name] = room(order, report.total, found)
    report.complete = True


def _work_off(world: World, order: Order, before: datetime, report: Report) -> None:
    deadline = world.deadline()
    take_in(world.database, world.clock.now())  # what is purged stays in the counters
    for rule in RULES:
        while True:
            most = room(order, report.total, world.settings.purge_batch)
            if most <= 0 or world.clock.now() >= deadline:
                return
            gone = _next_batch(world, rule, before, most)
            report.tables[rule.table.name] += gone
            if not gone:
                break
    report.complete = True


def _next_batch(world: World, rule: Rule, before: datetime, most: int) -> int:
    if world.settings.archive_bucket is None:
        with world.database.begin() as connection:
            return store.remove(connection, rule, before, most)
    batch = _take(world, rule, before, most)
    if batch is None:
        return 0
    world.breakpoint(Breakpoint.BATCH_PLANNED)
    try:
        ids = _archive(world, rule, batch)
    except TryAgain:
        _let_go(world, batch)
        raise
    world.breakpoint(Breakpoint.BATCH_ARCHIVED)
    with world.database.begin() as connection:
        gone = store.finish(connection, rule, batch, ids)
    world.breakpoint(Breakpoint.BATCH_DELETED)
    return gone


def _take(world: World, rule: Rule, before: datetime, most: int) -> Batch | None:
    """Take a batch that was left behind, else the next rows."""
    owner, now, seconds = new_owner(), world.clock.now(), world.settings.lease_time
    with world.database.begin() as connection:
        left = store.resume(connection, rule, most, owner, now, seconds)
        return left or store.plan(connection, rule, before, most, owner, now, seconds)


def _let_go(world: World, batch: Batch) -> None:
    try:
        with world.database.begin() as connection:
            store.let_go(connection, batch)
    except StoreUnavailable as error:
        log.get().warning("batch not given back", reason=str(error))


def _archive(world: World, rule: Rule, batch: Batch) -> list[int]:
    """Have the rows of a batch in the archive, and be sure of it; returns their ids."""
    archive, prefix = world.archive, world.settings.archive_prefix
    with world.database.begin() as connection:
        rows = store.read(connection, rule, batch)
        about = {"schema": store.revision(connection), "planned_at": batch.created_at, "cutoff": batch.cutoff}
    if not rows:
        return []
    made = parcel.pack(prefix, rule.table.name, rows, about)
    objects = {made.key: made.data, made.manifest_key: made.manifest}  # a manifest says that its object is whole
    missing = [name for name, data in objects.items() if archive.read(name) != data]
    for name in missing:
        archive.write(name, objects[name])
        if archive.read(name) != objects[name]:
            raise ArchiveUnavailable(f"the archive did not keep {name}")
    log.get().info("batch archived" if missing else "batch is in the archive already", object=made.key, rows=len(rows))
    return [row["id"] for row in rows]
