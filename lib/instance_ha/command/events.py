"""``instance-ha events resend``."""

import argparse
from typing import Any

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.models.errors import Misconfigured
from instance_ha.store import outbox


def register(subparsers: Any) -> None:
    """Add the commands."""
    events = subparsers.add_parser("events", help="events for others")
    actions = events.add_subparsers(required=True, metavar="action")
    meaning = "send dead letters again, with the next run of relay"
    parser = shell.add(actions, "resend", meaning, resend, example="events resend --sink billing")
    parser.add_argument("--sink", help="of this sink only, by its name")
    shell.add_output(parser)


def resend(options: argparse.Namespace) -> int:
    """Offer dead letters again."""
    world = composition.of(options.environ).whole().for_invocation()
    names = [sink.name for sink in world.settings.sinks]
    if options.sink is not None and options.sink not in names:
        raise Misconfigured(f"there is no sink {options.sink}: known are {', '.join(names) or 'none'}")
    with world.database.begin() as connection:
        count = outbox.resend(connection, options.sink, world.clock.now())
    shell.write(options, {"events": count}, [f"{count} events will be sent again"])
    return 0
