"""``instance-ha status``: segments, hosts, recoveries, failures and events on one screen."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from instance_ha import composition
from instance_ha.models.health import ReportState
from instance_ha.store import outbox, overview

_MOST = 10
_WIDTH = 100  # of a reason
_DAYS = 30


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("status", help="segments, hosts, running recoveries, last failures")
    parser.set_defaults(run=status)


def status(options: argparse.Namespace) -> int:
    """Print the screen."""
    world = composition.of(options.environ).world()
    with world.database.begin() as connection:
        lines = list(screen(connection, world.clock.now()))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def screen(connection: Connection, now: datetime) -> Iterator[str]:
    """Write the screen, line by line."""
    segments = overview.all_segments(connection)
    heads = ("segment", "method", "enabled", "hosts", "reserved", "on maintenance")
    columns = ("name", "recovery_method", "enabled", "hosts", "reserved", "on_maintenance")
    yield from _table(heads, ([_word(row[column]) for column in columns] for row in segments))
    yield ""
    yield from _table(("host", "segment", "is"), _hosts(connection, now))
    yield ""
    yield from _table(("recovery of", "type", "status", "for", "progress", "notification"), _open(connection, now))
    yield ""
    yield from _table(("failed", "type", "ago", "reason", "notification"), _failures(connection, now))
    yield ""
    yield from _table(("events to", "state", "count", "reason"), _messages(connection))


def _hosts(connection: Connection, now: datetime) -> Iterator[Sequence[str]]:
    for row in overview.unusual_hosts(connection, _MOST):
        words = [word.replace("_", " ") for word in ("reserved", "on_maintenance") if row[word]]
        words += [_health(row, now)] if row["state"] else []
        yield row["name"], row["segment"], ", ".join(words)


def _health(row: RowMapping, now: datetime) -> str:
    """Say how monitor-poll sees a host, with the last reading of each network."""
    readings = ", ".join(f"{network} {reading}" for network, reading in (row["vector"] or {}).items())
    since = f" for {_age(now - row['since'])}" if row["since"] else ""
    reported = f", reported {row['reported']}" if row["reported"] != ReportState.NOTHING else ""
    suppressed = ", suppressed: too many hosts are down" if row["suppressed"] else ""
    return f"{row['state']}{since} ({readings or 'not polled yet'}{reported}{suppressed})"


def _open(connection: Connection, now: datetime) -> Iterator[Sequence[str]]:
    for row in overview.open_recoveries(connection, _MOST):
        progress = [f"attempt {row['attempt']}"] if row["attempt"] > 1 else []
        progress += [row["task"]] if row["task"] else []
        progress += [f"{row['moved']} of {row['instances']} moved"] if row["instances"] else []
        progress += [f"{row['failed']} failed"] if row["failed"] else []
        progress += [_short(row["message"])] if row["message"] else []
        age = _age(now - row["created_at"])
        told = ", ".join(progress) or "waits"
        yield row["host"] or "(gone)", row["type"], row["status"], age, told, row["notification_uuid"]


def _failures(connection: Connection, now: datetime) -> Iterator[Sequence[str]]:
    for row in overview.last_failures(connection, now - timedelta(days=_DAYS), _MOST):
        ago = _age(now - (row["updated_at"] or now))
        reason = _short(row["message"] or "")
        yield row["host"] or "(gone)", row["type"], ago, reason, row["notification_uuid"]


def _messages(connection: Connection) -> Iterator[Sequence[str]]:
    reasons = {row["name"]: row["reason"] or "" for row in overview.failing_sinks(connection)}
    for sink, state, count in outbox.counts(connection):
        yield sink, state, str(count), reasons.get(sink, "")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Align columns; a table without rows is one line."""
    table = [list(heads), *map(list, rows)]
    if len(table) == 1:
        yield f"{heads[0].upper()}: none"
        return
    table[0] = [head.upper() for head in heads]
    widths = [max(len(line[column]) for line in table) for column in range(len(heads))]
    for line in table:
        yield "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _age(since: timedelta) -> str:
    seconds = max(0, int(since.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
