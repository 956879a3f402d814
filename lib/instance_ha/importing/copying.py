"""The copying: table by table, batch by batch, each batch one transaction; it may end anywhere and run again.

A row that an earlier import brought is overwritten by a newer version only while it still is what that import wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from instance_ha.importing import convert
from instance_ha.importing.source import TABLES, OldDatabase, Row
from instance_ha.importing.summary import ImportSummary
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import Conflict
from instance_ha.store import imported
from instance_ha.world import World

BATCH = 500
_NAMED = ("failover_segments", "hosts")

Rows = dict[str, dict[str, Any]]


@dataclass
class Import:
    """One run. ``force`` takes notifications that an engine is working on; ``dry_run`` writes nothing."""

    world: World
    source: OldDatabase
    dry_run: bool = False
    force: bool = False
    summary: ImportSummary = field(default_factory=ImportSummary)
    # Only in a dry run: what would be here by now (and since when it is deleted), and the names that would be taken.
    _would: dict[str, dict[str, datetime | None]] = field(default_factory=lambda: {table: {} for table in TABLES})
    _names: dict[str, dict[str, str]] = field(default_factory=lambda: {table: {} for table in _NAMED})

    def run(self) -> ImportSummary:
        """Copy everything that is new or has changed.

        Raises:
            Conflict: the old engine is recovering something, and `force` was not given.
            StoreUnavailable: one of the databases went away; what is committed is good, run it again.

        """
        running = self.source.running()
        if running and not (self.force or self.dry_run):
            raise Conflict(
                f"Masakari works on {len(running)} notification(s): {', '.join(running[:20])}. Let it end them and "
                "stop its engine; --force imports them as failed, and nothing is recovered for them here"
            )
        for uuid in running:
            self.summary.note("notifications", "note", uuid, "an engine works on it")
        for table in TABLES:
            for rows in self.source.batches(table, BATCH):
                self._batch(table, rows)
        return self.summary

    def _batch(self, table: str, old: Sequence[Row]) -> None:
        self.summary.count(table, "read", len(old))
        now = self.world.clock.now()
        rows = self._converted(table, old, now)
        with self.world.database.begin() as connection:
            if not self.dry_run:
                imported.take_turn(connection)
            rows = self._with_parents(connection, table, rows)
            new, changed = self._sorted(connection, table, rows)
            gone = {uuid for uuid, values in changed.items() if values["deleted_at"] is not None}
            new, changed = (self._unnamed(connection, table, rows, gone) for rows in (new, changed))
            if not self.dry_run:
                new = self._write(connection, table, new, changed, now)
        self.summary.count(table, "new", len(new))
        self.summary.count(table, "updated", len(changed))
        if self.dry_run:
            self._would[table].update({uuid: values["deleted_at"] for uuid, values in (new | changed).items()})
        else:
            self.world.breakpoint(Breakpoint.BATCH_IMPORTED)

    def _converted(self, table: str, old: Sequence[Row], now: datetime) -> Rows:
        rows: Rows = {}
        for row in old:
            name = str(row.get(imported.key_of(table)) or f"id {row['id']}")
            try:
                converted = convert.BY_TABLE[table](row, now)
            except convert.Unusable as error:
                self.summary.refuse(table, "skipped", name, str(error))
                continue
            rows[name] = converted.values
            for remark in converted.remarks:
                self.summary.note(table, "note", name, remark)
        return rows

    def _with_parents(self, connection: Connection, table: str, rows: Rows) -> Rows:
        if table == "hosts":
            return self._hosts(connection, rows)
        return self._vmoves(connection, rows) if table == "vmoves" else rows

    def _sorted(self, connection: Connection, table: str, rows: Rows) -> tuple[Rows, Rows]:
        """Find the rows that are new, and those whose newer version may be written."""
        here = imported.here(connection, table, list(rows))
        prints = imported.remembered(connection, table, list(rows))
        new: Rows = {}
        changed: Rows = {}
        for uuid, values in rows.items():
            mine = imported.fingerprint({name: here[uuid][name] for name in values}) if uuid in here else None
            outcome, reason = _outcome(imported.fingerprint(values), mine, prints.get(uuid))
            if outcome in ("new", "updated"):
                (new if outcome == "new" else changed)[uuid] = values
            elif reason:
                self.summary.refuse(table, outcome, uuid, reason)
            else:
                self.summary.count(table, outcome)
        return new, changed

    def _unnamed(self, connection: Connection, table: str, rows: Rows, gone: set[str]) -> Rows:
        """Leave out rows whose name another live row has here; those of ``gone`` are about to be deleted."""
        if table not in _NAMED or not rows:
            return rows
        live = {uuid: values["name"] for uuid, values in rows.items() if values["deleted_at"] is None}
        found = imported.live_names(connection, table, live.values())
        holders = {name: uuid for name, uuid in found.items() if uuid not in gone}
        holders |= {name: self._names[table][name] for name in live.values() if name in self._names[table]}
        kept = dict(rows)
        for uuid, name in live.items():
            if holders.setdefault(name, uuid) != uuid:
                self.summary.refuse(table, "conflict", f"{uuid} {name}", "its name is taken here")
                del kept[uuid]
            elif self.dry_run:
                self._names[table][name] = uuid
        return kept

    def _write(self, connection: Connection, table: str, new: Rows, changed: Rows, now: datetime) -> Rows:
        """Write; returns the new rows that no other writer has stored first."""
        for values in sorted(changed.values(), key=lambda one: one["deleted_at"] is None):  # the deleted free names
            imported.replace(connection, table, values)
        added = imported.add(connection, table, list(new.values()))
        for uuid in new.keys() - added:
            self.summary.refuse(table, "conflict", uuid, "its uuid or name came into use here at this moment")
        written = {uuid: values for uuid, values in new.items() if uuid in added}
        prints = {uuid: imported.fingerprint(values) for uuid, values in (written | changed).items()}
        imported.remember(connection, table, prints, now)
        return written

    def _present(self, connection: Connection, table: str, uuids: set[str]) -> Mapping[str, datetime | None]:
        would = {uuid: self._would[table][uuid] for uuid in uuids if uuid in self._would[table]}
        return {**imported.present(connection, table, uuids), **would}

    def _hosts(self, connection: Connection, rows: Rows) -> Rows:
        """A host needs its segment, and is deleted with it."""
        segments = self._present(connection, "failover_segments", {row["failover_segment_id"] for row in rows.values()})
        kept: Rows = {}
        for uuid, values in rows.items():
            segment = values["failover_segment_id"]
            if segment not in segments:
                self.summary.refuse("hosts", "skipped", f"{uuid} {values['name']}", "its segment is not here")
                continue
            deleted = segments[segment]
            if values["deleted_at"] is None and deleted is not None:
                self.summary.note("hosts", "note", f"{uuid} {values['name']}", "its segment is deleted, so it is too")
                values = {**values, "deleted_at": deleted}
            kept[uuid] = values
        return kept

    def _vmoves(self, connection: Connection, rows: Rows) -> Rows:
        """A vmove is seen through its notification only."""
        known = self._present(connection, "notifications", {row["notification_uuid"] for row in rows.values()})
        kept = {uuid: values for uuid, values in rows.items() if values["notification_uuid"] in known}
        for uuid in rows.keys() - kept.keys():
            self.summary.refuse("vmoves", "skipped", uuid, "its notification is not here")
        return kept


def _outcome(theirs: str, mine: str | None, imported_as: str | None) -> tuple[str, str | None]:
    """Compare a row by the fingerprints of its version there, of its version here, and of what was imported."""
    if mine is None:
        return ("new", None) if imported_as is None else ("kept", "purged here since it was imported")
    if theirs == mine:
        return "unchanged", None
    if imported_as is None:
        return "conflict", "it was here before, and differs"
    if mine == imported_as:
        return "updated", None
    if theirs == imported_as:
        return "kept", "changed here since it was imported"
    return "conflict", "changed both here and there since it was imported: it stays as it is here"
