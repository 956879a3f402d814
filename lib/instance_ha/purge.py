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
from instance_ha.store import purge_batches as batches
from instance_ha.store.purge import BEGINNING, RULES, Place, Rule, Wanted
from instance_ha.store.purge_batches import Batch
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
        own = world.for_invocation()
        purge(own, PurgeRequest(settings.purge_age_in_days, settings.purge_max_rows), own.deadline())


def purge(world: ArchiveWorld, request: PurgeRequest, deadline: datetime | None) -> PurgeResult:
    """Purge until nothing is left that may be purged, but begin no batch after ``deadline``.

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
            _delete(world, request, before, result, deadline)
    finally:
        tables = {name: rows for name, rows in result.tables.items() if rows}
        log.get().info("rows purged", total=result.total, dry_run=request.dry_run or None, **tables)
    return result


def _count(world: ArchiveWorld, request: PurgeRequest, before: datetime, result: PurgeResult) -> None:
    for rule in RULES:
        with world.database.begin() as connection:
            found = store.count(connection, rule, before)
        result.tables[rule.table.name] = min(found, remaining(request, result.total))
    result.complete = True


def _delete(
    world: ArchiveWorld, request: PurgeRequest, before: datetime, result: PurgeResult, deadline: datetime | None
) -> None:
    """Work off the rules in their order, a batch at a time, until the time or ``max_rows`` is used up."""
    take_in(world.database)  # what is purged stays in the counters
    for rule in RULES:
        behind: Place | None = BEGINNING
        while behind is not None:
            most = remaining(request, result.total)
            if most <= 0 or (deadline is not None and world.clock.now() >= deadline):
                return
            wanted = Wanted(rule, before, min(most, world.settings.purge_batch), behind)
            deleted, behind = _delete_next(world, wanted, most)
            result.tables[rule.table.name] += deleted
    result.complete = not _is_left(world)


def _is_left(world: ArchiveWorld) -> bool:
    """Say whether ``max_rows`` has not allowed to take a batch that another invocation left behind."""
    if world.settings.archive_bucket is None:
        return False
    with world.database.begin() as connection:
        return batches.is_left(connection, world.clock.now())


def _delete_next(world: ArchiveWorld, wanted: Wanted, most: int) -> tuple[int, Place | None]:
    """Delete the next rows, or ``most`` that another invocation left behind.

    Returns how many, and where the rows after them begin; None: there are none.
    """
    if world.settings.archive_bucket is not None:
        return _archive_and_delete(world, wanted, most)
    with world.database.begin() as connection:
        gone = store.remove(connection, wanted)
    return len(gone.ids), gone.last


def _archive_and_delete(world: ArchiveWorld, wanted: Wanted, most: int) -> tuple[int, Place | None]:
    owner, now, seconds = new_owner(), world.clock.now(), world.settings.batch_lease_time
    last: Place | None = wanted.behind
    with world.database.begin() as connection:
        batch = batches.resume(connection, wanted.rule, most, owner, now, seconds)
        if batch is None:
            batch, last = batches.plan(connection, wanted, owner, now, seconds)
    return (0 if batch is None else _finish(world, wanted.rule, batch)), last


def _finish(world: ArchiveWorld, rule: Rule, batch: Batch) -> int:
    """Archive a batch, then delete it; returns how many rows were deleted."""
    world.breakpoint(Breakpoint.BATCH_PLANNED)
    try:
        with world.database.begin() as connection:
            rows = batches.read(connection, rule, batch)
            about = {"schema": batches.revision(connection), "planned_at": batch.created_at, "cutoff": batch.cutoff}
        if rows:
            _archive(world, rule.table.name, rows, about)
    except TryAgain:
        try:
            with world.database.begin() as connection:
                batches.release(connection, batch)
        except StoreUnavailable as error:
            log.get().warning("batch not released", reason=str(error))
        raise
    world.breakpoint(Breakpoint.BATCH_ARCHIVED)
    with world.database.begin() as connection:
        deleted = batches.finish(connection, rule, batch, [row["id"] for row in rows])
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
