"""``instance-ha incident``: what an outage has cost."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

from instance_ha import composition
from instance_ha.decide.incident import account
from instance_ha.decide.incident_page import markdown
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import explanations


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("incident", help="what an outage has cost, by instance and in all")
    parser.add_argument("notification", metavar="NOTIFICATION", help="uuid")
    formats = {"choices": ("markdown", "json"), "default": "markdown"}
    parser.add_argument("-o", "--output", help="markdown (default) or json", **formats)
    parser.set_defaults(run=incident)


def incident(options: argparse.Namespace) -> int:
    """Print the account."""
    world = composition.of(options.environ).whole().for_invocation()
    with world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, NotificationUuid(options.notification))
    found = account(rows)
    as_json = options.output == "json"
    sys.stdout.write(json.dumps(asdict(found), indent=2, default=_time) + "\n" if as_json else markdown(found))
    return 0


def _time(value: datetime) -> str:
    return value.isoformat()
