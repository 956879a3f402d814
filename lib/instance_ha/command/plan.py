"""``instance-ha plan``: what a recovery of hosts would do now; nothing is changed."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.decide.plan import Outlook, Plan, PlannedInstance
from instance_ha.models.exit_codes import NEEDS_ATTENTION
from instance_ha.models.text import counted
from instance_ha.planning.plan import plans_of
from instance_ha.planning.source import Source
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
    meaning = "what would be done if hosts failed now; changes nothing"
    not_known = {NEEDS_ATTENTION: "a plan is not known"}
    parser = shell.add(subparsers, "plan", meaning, plan, example="plan compute1 compute2", codes=not_known)
    parser.add_argument("hosts", nargs="+", metavar="HOST", help="name or uuid; several fail at once")
    shell.add_output(parser)


def plan(options: argparse.Namespace) -> int:
    """Print the plans."""
    world = composition.of(options.environ).whole().for_invocation()
    with world.database.read() as connection:
        failed = hosts.named(connection, options.hosts)
    ladder = world.fences.ladder if world.settings.fencing_path is not None else None
    source = Source(world.nova, world.database.read, world.clock, world.settings)
    plans = list(plans_of(source, failed, ladder, world.deadline()))
    shell.write(options, [_values(one) for one in plans], (line for one in plans for line in screen(one)))
    return NEEDS_ATTENTION if any(one.outlook is Outlook.NOT_KNOWN for one in plans) else 0


def _values(one: Plan) -> dict[str, Any]:
    """Return a plan as the API has it."""
    notification = one.notification.notification_uuid if one.notification else None
    about = {"host": one.host.name, "host_uuid": one.host.uuid, "segment_uuid": one.host.failover_segment_id}
    values = asdict(one) | about | {"notification_uuid": notification}
    del values["notification"]
    return values


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
        yield f"  {counted(len(one.instances), 'instance')}, in this order:"
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
