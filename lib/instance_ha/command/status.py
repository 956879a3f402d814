"""``instance-ha status``: segments, hosts, recoveries, failures and events on one screen."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.models.enums import NotificationStatus
from instance_ha.models.health import ReportState
from instance_ha.models.text import age_in_words
from instance_ha.store import outbox, overview

_MOST = 10  # lines of a table
_MOST_FOR_PROGRAMS = 1000
_DAYS_OF_FAILURES = 30

Rows = Sequence[Mapping[Any, Any]]
Found = Mapping[str, Rows]


def register(subparsers: Any) -> None:
    """Add the command."""
    meaning = "segments, hosts, recoveries, events on one screen"
    shell.add_output(shell.add(subparsers, "status", meaning, status, example="status -o json"))


def status(options: argparse.Namespace) -> int:
    """Print the screen."""
    world = composition.of(options.environ).whole().for_invocation()
    now = world.clock.now()
    with world.database.begin() as connection:
        found = read(connection, now, _MOST_FOR_PROGRAMS if options.output == "json" else _MOST + 1)
    shell.write(options, found, screen(found, now))
    return 0


def read(connection: Connection, now: datetime, most: int = _MOST + 1) -> Found:
    """Read all that is shown: so many rows of each kind at most."""
    failed, well = {NotificationStatus.FAILED}, {NotificationStatus.FINISHED, NotificationStatus.IGNORED}
    return {
        "segments": overview.all_segments(connection),
        "hosts": overview.unusual_hosts(connection, most),
        "recoveries": overview.open_recoveries(connection, most),
        "pauses": overview.active_pauses(connection, now, most),
        "failed": overview.ended_recoveries(connection, failed, now - timedelta(days=_DAYS_OF_FAILURES), most),
        "ended_well": overview.ended_recoveries(connection, well, now - timedelta(days=1), most),
        "events": _events(connection),
    }


def _events(connection: Connection) -> list[dict[str, Any]]:
    reasons = {row["name"]: row["reason"] for row in overview.failing_sinks(connection)}
    return [
        {"sink": sink, "state": state, "count": count, "reason": reasons.get(sink)}
        for sink, state, count in outbox.counts(connection)
    ]


def screen(found: Found, now: datetime) -> Iterator[str]:
    """Write the screen, line by line."""
    heads = ("segment", "method", "enabled", "hosts", "reserved", "on maintenance")
    columns = ("name", "recovery_method", "enabled", "hosts", "reserved", "on_maintenance")
    yield from _table(heads, [_Line([_word(row[column]) for column in columns]) for row in found["segments"]])
    yield ""
    yield from _table(("host", "segment", "is"), _hosts(found["hosts"], now), _MOST)
    yield ""
    heads = ("recovery of", "type", "status", "for", "progress", "notification")
    yield from _table(heads, _open(found["recoveries"], now), _MOST)
    yield ""
    yield from _table(("pause of", "until", "by", "reason"), _pauses(found["pauses"]), _MOST)
    yield ""
    of_ended = ("type", "ago", "instances", "notification")
    yield from _table(("failed", *of_ended), _ended(found["failed"], now), _MOST)
    yield ""
    yield from _table(("ended well", *of_ended), _ended(found["ended_well"], now), _MOST)
    yield ""
    events = [_Line([row["sink"], row["state"], str(row["count"]), row["reason"] or ""]) for row in found["events"]]
    yield from _table(("events to", "state", "count", "reason"), events)


def _hosts(rows: Rows, now: datetime) -> Sequence["_Line"]:
    lines = []
    for row in rows:
        words = [word.replace("_", " ") for word in ("reserved", "on_maintenance") if row[word]]
        words += [_health(row, now)] if row["state"] else []
        lines.append(_Line([row["name"], row["segment"], ", ".join(words)]))
    return lines


def _health(row: Mapping[str, Any], now: datetime) -> str:
    """Say how monitor-poll sees a host, with the last reading of each network."""
    readings = ", ".join(f"{network} {reading}" for network, reading in (row["vector"] or {}).items())
    since = f" for {age_in_words(now - row['since'])}" if row["since"] else ""
    reported = f", reported {row['reported']}" if row["reported"] != ReportState.NOTHING else ""
    suppressed = ", suppressed: too many hosts are down" if row["suppressed"] else ""
    return f"{row['state']}{since} ({readings or 'not polled yet'}{reported}{suppressed})"


def _open(rows: Rows, now: datetime) -> Sequence["_Line"]:
    lines = []
    for row in rows:
        progress = [f"attempt {row['attempt']}"] if row["attempt"] > 1 else []
        progress += [row["task"]] if row["task"] else []
        progress += [_instances(row)] if row["instances"] else []
        progress += [f"held for {age_in_words(now - row['held_since'])}"] if row["held_since"] else []
        if row["status"] == NotificationStatus.ERROR and row["due_at"]:
            wait = row["due_at"] - now
            progress += [f"next attempt in {age_in_words(wait)}" if wait > timedelta(0) else "next attempt due"]
        age = age_in_words(now - row["created_at"])
        words = row["host"] or "(gone)", row["type"], row["status"], age, ", ".join(progress) or "waits"
        lines.append(_Line([*words, row["notification_uuid"]], row["message"]))
    return lines


def _pauses(rows: Rows) -> Sequence["_Line"]:
    lines = []
    for row in rows:
        name = row["segment"] or row["host"]
        about = f"{row['scope']} {name}" if name else str(row["scope"])
        lines.append(_Line([about, f"{row['until']:%Y-%m-%d %H:%M} UTC", row["actor"] or "", row["reason"]]))
    return lines


def _ended(rows: Rows, now: datetime) -> Sequence["_Line"]:
    lines = []
    for row in rows:
        ago = age_in_words(now - (row["updated_at"] or row["created_at"]))
        instances = _instances(row) if row["instances"] else "none"
        words = row["host"] or "(gone)", row["type"], ago, instances, row["notification_uuid"]
        lines.append(_Line(words, row["message"]))
    return lines


def _instances(row: Mapping[str, Any]) -> str:
    failed = f", {row['failed']} failed" if row["failed"] else ""
    return f"{row['moved']} of {row['instances']} moved{failed}"


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
