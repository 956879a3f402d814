"""``instance-ha explain``: why a recovery is where it is."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.decide.explanation import Explanation, Rows
from instance_ha.decide.explanation import explain as explained
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import explanations


def register(subparsers: Any) -> None:
    """Add the command."""
    example = "explain 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4"
    parser = shell.add(
        subparsers, "explain", "why a recovery is where it is, and what it waits for", explain, example=example
    )
    parser.add_argument("notification", metavar="NOTIFICATION", help="uuid")
    shell.add_output(parser)


def explain(options: argparse.Namespace) -> int:
    """Print the explanation."""
    world = composition.of(options.environ).whole().for_invocation()
    with world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, NotificationUuid(options.notification))
    found = explained(rows, world.clock.now())
    shell.write(options, asdict(found) | _about(rows), screen(rows, found))
    return 0


def _about(rows: Rows) -> dict[str, Any]:
    row, host = rows.notification, rows.host.name if rows.host else None
    return {"notification_uuid": row.notification_uuid, "type": row.type, "status": row.status, "host": host}


def screen(rows: Rows, found: Explanation) -> Iterator[str]:
    """Write an explanation, line by line."""
    row, host = rows.notification, rows.host.name if rows.host else "(gone)"
    yield f"{host}: {row.type}, {row.status}"
    if found.waits_for is not None:
        yield f"waits for: {found.waits_for}"
    for number, one in enumerate(found.questions, 1):
        yield f"{number}. {one.question} {one.answer.replace('_', ' ')}: {one.text}"
        yield from (f"     {because.at:%Y-%m-%d %H:%M:%S} {because.text}" for because in one.because)
