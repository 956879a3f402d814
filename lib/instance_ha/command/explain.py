"""``instance-ha explain``: why a recovery is where it is."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from instance_ha import composition
from instance_ha.decide.explanation import Explanation, Rows
from instance_ha.decide.explanation import explain as explained
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import explanations


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("explain", help="why a recovery is where it is, and what it waits for")
    parser.add_argument("notification", metavar="NOTIFICATION", help="uuid")
    parser.set_defaults(run=explain)


def explain(options: argparse.Namespace) -> int:
    """Print the explanation."""
    world = composition.of(options.environ).whole().for_invocation()
    with world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, NotificationUuid(options.notification))
    lines = screen(rows, explained(rows, world.clock.now()))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def screen(rows: Rows, found: Explanation) -> Iterator[str]:
    """Write an explanation, line by line."""
    row, host = rows.notification, rows.host.name if rows.host else "(gone)"
    yield f"{host}: {row.type}, {row.status}"
    if found.waits_for is not None:
        yield f"waits for: {found.waits_for}"
    for number, one in enumerate(found.questions, 1):
        yield f"{number}. {one.question} {one.answer.replace('_', ' ')}: {one.text}"
        yield from (f"     {because.at:%Y-%m-%d %H:%M:%S} {because.text}" for because in one.because)
