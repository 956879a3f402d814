"""What an import did, or would do."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

COUNTS = ("read", "new", "updated", "unchanged", "kept", "skipped", "conflict")
_EXAMPLES = 20  # of each reason


@dataclass
class ImportSummary:
    """Rows by table and outcome, and why rows were skipped, changed on the way, or in conflict."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    examples: defaultdict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def count(self, table: str, outcome: str, rows: int = 1) -> None:
        """Count rows."""
        self.counts[table, outcome] += rows

    def note(self, table: str, outcome: str, row: str, reason: str) -> None:
        """Keep a reason; ``outcome`` is one of COUNTS, or `note` for a row that came although it was odd."""
        key = (table, outcome, reason)
        self.reasons[key] += 1
        if len(self.examples[key]) < _EXAMPLES:
            self.examples[key].append(row)

    def refuse(self, table: str, outcome: str, row: str, reason: str) -> None:
        """Count a row that does not come, and keep why."""
        self.count(table, outcome)
        self.note(table, outcome, row, reason)

    def total(self, outcome: str) -> int:
        """Sum an outcome over all tables."""
        return sum(rows for (_, what), rows in self.counts.items() if what == outcome)

    def tables(self, tables: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return the counts of each table, by outcome."""
        return {table: {name: self.counts[table, name] for name in COUNTS} for table in tables}

    def named(self) -> list[dict[str, Any]]:
        """Return each reason with the first rows that it is about."""
        return [
            {"table": key[0], "outcome": key[1], "reason": key[2], "rows": rows, "examples": self.examples[key]}
            for key, rows in sorted(self.reasons.items())
        ]

    def lines(self, tables: Sequence[str]) -> Iterator[str]:
        """Write it for people."""
        yield "  ".join(["table".ljust(17), *(name.rjust(9) for name in COUNTS)])
        for table in tables:
            yield "  ".join([table.ljust(17), *(str(self.counts[table, name]).rjust(9) for name in COUNTS)])
        for (table, outcome, reason), rows in sorted(self.reasons.items()):
            named = self.examples[table, outcome, reason]
            more = f" and {rows - len(named)} more" if rows > len(named) else ""
            yield f"{table}: {outcome}: {reason} ({rows}): {', '.join(named)}{more}"
