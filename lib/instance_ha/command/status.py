"""``instance-ha status``: segments, hosts, recoveries, failures and events on one screen."""

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from instance_ha import composition
from instance_ha.models.enums import NotificationStatus
from instance_ha.models.health import ReportState
from instance_ha.store import outbox, overview

_MOST = 10  # lines of a table
_DAYS_OF_FAILURES = 30


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("status", help="segments, hosts, recoveries, events on one screen")
    parser.set_defaults(run=status)


def status(options: argparse.Namespace) -> int:
    """Print the screen."""
    world = composition.of(options.environ).whole().for_invocation()
    with world.database.begin() as connection:
        lines = list(screen(connection, world.clock.now()))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def screen(connection: Connection, now: datetime) -> Iterator[str]:
    """Write the screen, line by line."""
    segments = overview.all_segments(connection)
    heads = ("segment", "method", "enabled", "hosts", "reserved", "on maintenance")
    columns = ("name", "recovery_method", "enabled", "hosts", "reserved", "on_maintenance")
    yield from _table(heads, [_Line([_word(row[column]) for column in columns]) for row in segments])
    yield ""
    yield from _table(("host", "segment", "is"), _hosts(connection, now), _MOST)
    yield ""
    yield from _table(
        ("recovery of", "type", "status", "for", "progress", "notification"), _open(connection, now), _MOST
    )
    yield ""
    yield from _table(("pause of", "until", "by", "reason"), _pauses(connection, now), _MOST)
    yield ""
    failed = {NotificationStatus.FAILED}, now - timedelta(days=_DAYS_OF_FAILURES)
    yield from _table(("failed", "type", "ago", "instances", "notification"), _ended(connection, now, *failed), _MOST)
    yield ""
    well = {NotificationStatus.FINISHED, NotificationStatus.IGNORED}, now - timedelta(days=1)
    yield from _table(("ended well", "type", "ago", "instances", "notification"), _ended(connection, now, *well), _MOST)
    yield ""
    yield from _table(("events to", "state", "count", "reason"), _events(connection))


def _hosts(connection: Connection, now: datetime) -> Sequence["_Line"]:
    lines = []
    for row in overview.unusual_hosts(connection, _MOST + 1):
        words = [word.replace("_", " ") for word in ("reserved", "on_maintenance") if row[word]]
        words += [_health(row, now)] if row["state"] else []
        lines.append(_Line([row["name"], row["segment"], ", ".join(words)]))
    return lines


def _health(row: RowMapping, now: datetime) -> str:
    """Say how monitor-poll sees a host, with the last reading of each network."""
    readings = ", ".join(f"{network} {reading}" for network, reading in (row["vector"] or {}).items())
    since = f" for {_age(now - row['since'])}" if row["since"] else ""
    reported = f", reported {row['reported']}" if row["reported"] != ReportState.NOTHING else ""
    suppressed = ", suppressed: too many hosts are down" if row["suppressed"] else ""
    return f"{row['state']}{since} ({readings or 'not polled yet'}{reported}{suppressed})"


def _open(connection: Connection, now: datetime) -> Sequence["_Line"]:
    lines = []
    for row in overview.open_recoveries(connection, _MOST + 1):
        progress = [f"attempt {row['attempt']}"] if row["attempt"] > 1 else []
        progress += [row["task"]] if row["task"] else []
        progress += [_instances(row)] if row["instances"] else []
        progress += [f"held for {_age(now - row['held_since'])}"] if row["held_since"] else []
        if row["status"] == NotificationStatus.ERROR and row["due_at"]:
            wait = row["due_at"] - now
            progress += [f"next attempt in {_age(wait)}" if wait > timedelta(0) else "next attempt due"]
        age = _age(now - row["created_at"])
        words = row["host"] or "(gone)", row["type"], row["status"], age, ", ".join(progress) or "waits"
        lines.append(_Line([*words, row["notification_uuid"]], row["message"]))
    return lines


def _pauses(connection: Connection, now: datetime) -> Sequence["_Line"]:
    lines = []
    for row in overview.active_pauses(connection, now, _MOST + 1):
        name = row["segment"] or row["host"]
        about = f"{row['scope']} {name}" if name else str(row["scope"])
        lines.append(_Line([about, f"{row['until']:%Y-%m-%d %H:%M} UTC", row["actor"] or "", row["reason"]]))
    return lines


def _ended(
    connection: Connection, now: datetime, statuses: Collection[NotificationStatus], since: datetime
) -> Sequence["_Line"]:
    lines = []
    for row in overview.ended_recoveries(connection, statuses, since, _MOST + 1):
        ago = _age(now - (row["updated_at"] or row["created_at"]))
        instances = _instances(row) if row["instances"] else "none"
        words = row["host"] or "(gone)", row["type"], ago, instances, row["notification_uuid"]
        lines.append(_Line(words, row["message"]))
    return lines


def _instances(row: RowMapping) -> str:
    failed = f", {row['failed']} failed" if row["failed"] else ""
    return f"{row['moved']} of {row['instances']} moved{failed}"


def _events(connection: Connection) -> Sequence["_Line"]:
    reasons = {row["name"]: row["reason"] or "" for row in overview.failing_sinks(connection)}
    return [_Line([sink, state, str(count), reasons.get(sink, "")]) for sink, state, count in outbox.counts(connection)]


@dataclass(frozen=True)
class _Line:
    """A line of a table; the reason stands below it, whole: its end often names the cause."""

    words: Sequence[str]
    reason: str | None = None


def _table(heads: Sequence[str], lines: Sequence[_Line], most: int | None = None) -> Iterator[str]:
    """Align columns; a table without lines is one line, and of a longer one than ``most`` the end is left out."""
    shown = lines[:most]
    if not shown:
        yield f"{heads[0].upper()}: none"
        return
    table = [[head.upper() for head in heads], *(line.words for line in shown)]
    widths = [max(len(words[column]) for words in table) for column in range(len(heads))]
    for words, line in zip(table, [None, *shown], strict=True):
        yield "  ".join(word.ljust(width) for word, width in zip(words, widths, strict=True)).rstrip()
        if line is not None and line.reason:
            yield f"    {' '.join(line.reason.split())}"
    if len(lines) > len(shown):
        yield "and more"


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _age(since: timedelta) -> str:
    seconds = max(0, int(since.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
