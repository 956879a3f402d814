"""``instance-ha plan``: what a recovery of hosts would do now; nothing is changed."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from instance_ha import composition
from instance_ha.decide.plan import Outlook, Plan, PlannedInstance
from instance_ha.planning.instances import Source
from instance_ha.planning.plan import plans_of
from instance_ha.store import hosts

_HEADS = {
    Outlook.EVACUATES: "would be evacuated",
    Outlook.HELD: "would be held",
    Outlook.OBSERVED: "nothing would be done, since the mode of its segment is observe",
    Outlook.NOTHING: "nothing would be evacuated",
    Outlook.NOT_KNOWN: "not known",
}


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("plan", help="what would be done if hosts failed now; changes nothing")
    parser.add_argument("hosts", nargs="+", metavar="HOST", help="name or uuid; several fail at once")
    parser.set_defaults(run=plan)


def plan(options: argparse.Namespace) -> int:
    """Print the plans; 1 when one is not known."""
    world = composition.of(options.environ).whole().for_invocation()
    with world.database.read() as connection:
        failed = hosts.named(connection, options.hosts)
    ladder = world.fences.ladder if world.settings.fencing_path is not None else None
    source = Source(world.nova, world.database.read, world.clock, world.settings)
    known = True
    for one in plans_of(source, failed, ladder, world.deadline()):
        sys.stdout.write("\n".join(screen(one)) + "\n")
        known &= one.outlook is not Outlook.NOT_KNOWN
    return 0 if known else 1


def screen(one: Plan) -> Iterator[str]:
    """Write a plan, line by line."""
    yield f"{one.host.name}: {_HEADS[one.outlook]}" + (f": {one.message}" if one.message else "")
    if one.notification is not None:
        yield f"  its recovery is open: notification {one.notification.notification_uuid}"
    for number, step in enumerate(one.before, 1):
        yield f"  {number}. {step.text}"
    if one.methods:
        yield f"  by {', then '.join(one.methods)}"
    for reserved in one.reserved_hosts:
        yield f"    reserved host {reserved.name}" + (
            f": passed over, since {reserved.reason}" if reserved.reason else ""
        )
    if one.instances is not None:
        yield f"  {len(one.instances)} instances, in this order:"
        yield from (f"    {number}. {_words(instance)}" for number, instance in enumerate(one.instances, 1))
    if one.left_out:
        yield f"  {len(one.left_out)} left out:"
        yield from (f"    {left.name} ({left.id}): {left.reason}" for left in one.left_out)


def _words(instance: PlannedInstance) -> str:
    words = [instance.vm_state]
    words += ["HA enabled"] if instance.ha_enabled else []
    words += [f"priority {instance.priority}"] if instance.priority else []
    words += ["its disk would be lost unless its storage is shared"] if instance.disk_lost else []
    words += ["under way already"] if instance.under_way else []
    return f"{instance.name} ({instance.id}): {', '.join(words)}"
