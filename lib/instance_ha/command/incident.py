"""``instance-ha incident``: what an outage has cost."""

import argparse
from typing import Any

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.decide.incident import account
from instance_ha.decide.incident_page import markdown
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import explanations


def register(subparsers: Any) -> None:
    """Add the command."""
    example = "incident 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4 > outage.md"
    parser = shell.add(
        subparsers, "incident", "what an outage has cost, by instance and in all", incident, example=example
    )
    parser.add_argument("notification", metavar="NOTIFICATION", help="uuid")
    shell.add_output(parser, "markdown")


def incident(options: argparse.Namespace) -> int:
    """Print the account."""
    world = composition.of(options.environ).whole().for_invocation()
    with world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, NotificationUuid(options.notification))
    found = account(rows)
    shell.write(options, found, markdown(found).splitlines())
    return 0
