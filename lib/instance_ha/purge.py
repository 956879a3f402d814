"""purge: rows that are old enough go, in bounded batches, archived before if there is a bucket.

It may be killed anywhere and run beside itself and beside recoveries: it deletes only what has ended, and with an
archive only what was read back from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from instance_ha import log
from instance_ha.archive.objects import pack
from instance_ha.decide.purge import PurgeRequest, check, cutoff, remaining
from instance_ha.metrics.gather import take_in
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import ArchiveUnavailable, StoreUnavailable, TryAgain
from instance_ha.store import purge as store
from instance_ha.store.purge import RULES, Rule
from instance_ha.world import ArchiveWorld, new_owner


@dataclass
class PurgeResult:
    """Rows per table; ``complete`` says that nothing is left that the time or ``max_rows`` did not allow."""

    tables: dict[str, int] = field(default_factory=lambda: {rule.table.name: 0 for rule in RULES})
    complete: bool = False

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.tables.values())


def scheduled(world: ArchiveWorld) -> None:
    """Purge as the settings say."""
    settings = world.settings
    if settings.purge_age_in_days >= 0:
        purge(world.for_invocation(), PurgeRequest(settings.purge_age_in_days, settings.purge_max_rows))


def purge(world: ArchiveWorld, request: PurgeRequest) -> PurgeResult:
    """Purge for the time of one invocation at most.

    Raises:
        BadRequest: the request makes no sense.
        ArchiveUnavailable: the archive cannot be used; what had been archived before is deleted, and nothing else.

    """
    now = world.clock.now()
    check(request, now)
    result, before = PurgeResult(), cutoff(request, now)
    try:
        if request.dry_run:
            _count(world, request, before, result)
        else:
            _delete(world, request, before, result)
    finally:
        tables = {name: rows for name, rows in result.tables.items() if rows}
        log.get().info("rows purged", total=result.total, dry_run=request.dry_run or None, **tables)
    return result


def _count(world: ArchiveWorld, request: PurgeRequest, before: datetime, result: PurgeResult) -> None:
    for rule in RULES:
        with world.database.begin() as connection:
            found = store.count(connection, rule, before)
        result.tables[rule.table.name] = remaining(request, result.total, found)
    result.complete = True


def _delete(world: ArchiveWorld, request: PurgeRequest, before: datetime, result: PurgeResult) -> None:
    """Work off the rules in their order, a batch at a time, until the time or ``max_rows`` is used up."""
    deadline = world.deadline()
    take_in(world.database)  # what is purged stays in the counters
    for rule in RULES:
        while True:
            limit = remaining(request, result.total, world.settings.purge_batch)
            if limit <= 0 or world.clock.now() >= deadline:
                return
            if world.settings.archive_bucket is None:
                with world.database.begin() as connection:
                    deleted = store.remove(connection, rule, before, limit)
            else:
                deleted = _archive_and_delete(world, rule, before, limit)
            result.tables[rule.table.name] += deleted
            if not deleted:
                break
    result.complete = True


def _archive_and_delete(world: ArchiveWorld, rule: Rule, before: datetime, limit: int) -> int:
    """Take a batch that another invocation left behind, else the next rows; returns how many rows were deleted."""
    owner, now, seconds = new_owner(), world.clock.now(), world.settings.batch_lease_time
    with world.database.begin() as connection:
        batch = store.resume(connection, rule, limit, owner, now, seconds)
        batch = batch or store.plan(connection, rule, before, limit, owner, now, seconds)
    if batch is None:
        return 0
    world.breakpoint(Breakpoint.BATCH_PLANNED)
    try:
        with world.database.begin() as connection:
            rows = store.read(connection, rule, batch)
            about = {"schema": store.revision(connection), "planned_at": batch.created_at, "cutoff": batch.cutoff}
        if rows:
            _archive(world, rule.table.name, rows, about)
    except TryAgain:
        try:
            with world.database.begin() as connection:
                store.release(connection, batch)
        except StoreUnavailable as error:
            log.get().warning("batch not released", reason=str(error))
        raise
    world.breakpoint(Breakpoint.BATCH_ARCHIVED)
    with world.database.begin() as connection:
        deleted = store.finish(connection, rule, batch, [row["id"] for row in rows])
    world.breakpoint(Breakpoint.BATCH_DELETED)
    return deleted


def _archive(world: ArchiveWorld, table: str, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> None:
    """Write the object of these rows and its manifest, unless both are there, and read back what was written.

    Raises:
        ArchiveUnavailable: the bucket cannot be used, or holds something else now.

    """
    made = pack(world.settings.archive_prefix, table, rows, about)
    objects = {made.key: made.data, made.manifest_key: made.manifest}  # a manifest says that its object is whole
    missing = [name for name, data in objects.items() if not world.archive.holds(name, data)]
    for name in missing:
        world.archive.write(name, objects[name])
        if not world.archive.holds(name, objects[name]):
            raise ArchiveUnavailable(f"the archive did not keep {name}")
    log.get().info("batch archived" if missing else "batch already archived", object=made.key, rows=len(rows))
