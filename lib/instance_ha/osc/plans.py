"""``openstack ha plan``: what a recovery would do."""

import argparse
from typing import Any

from instance_ha.decide.plan import Outlook
from instance_ha.models.exit_codes import NEEDS_ATTENTION
from instance_ha.osc.commands import Columns, Count, Lines, Lister, Table, table

_SHORT = ("host", "outlook", "instances", "left_out", "methods", "why")
_LONG = (*_SHORT, "before", "reserved_hosts", "notification_uuid")
_OF_INSTANCES = ("host", "id", "name", "vm_state", "ha_enabled", "priority", "disk_lost", "under_way", "left_out")


class Plan(Lister):
    """Show what would be done if hosts failed now; changes nothing.

    The outlook is one of: evacuates; held (until somebody acts); observed (the mode of the segment is
    observe); nothing (nothing is to be evacuated); not_known (Nova does not tell: this is no empty plan).

    The exit code is 3 when a plan is not known.
    """

    example = "plan compute1 compute2 --long"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("hosts", metavar="<host>", nargs="+", help="Name or uuid of a host; several fail at once")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--instances", action="store_true", help="Show each instance, in the order of the evacuation")
        what.add_argument("--long", action="store_true", help="Show what comes before the first evacuation, and more")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Make the plans."""
        plans = self.api.create("plans", "plan", hosts=parsed_args.hosts)
        if any(plan["outlook"] == Outlook.NOT_KNOWN for plan in plans):
            self.exit_code = NEEDS_ATTENTION
        if parsed_args.instances:
            return table(_OF_INSTANCES, [row for plan in plans for row in _instances(plan)])
        columns: Columns = _LONG if parsed_args.long else _SHORT
        return table(columns, [_shown(plan) for plan in plans])


def _shown(plan: dict[str, Any]) -> dict[str, Any]:
    return plan | {
        "instances": Count(plan["instances"]),
        "left_out": Count(plan["left_out"]),
        "methods": Lines(plan["methods"]),
        "why": Lines(_reasons(plan)),
        "before": Lines(plan["before"], lambda step: f"- {step['text']}"),
        "reserved_hosts": Lines(plan["reserved_hosts"], _reserved_host),
    }


def _reasons(plan: dict[str, Any]) -> list[str]:
    """Return why nothing would be evacuated, or not before somebody acts."""
    held = [step["text"] for step in plan["before"] if step["holds"]]
    return [*held, plan["message"]] if plan["message"] else held


def _reserved_host(host: dict[str, Any]) -> str:
    return f"{host['name']} (passed over: {host['reason']})" if host["reason"] else str(host["name"])


def _instances(plan: dict[str, Any]) -> list[dict[str, Any]]:
    nothing = dict.fromkeys(_OF_INSTANCES) | {"host": plan["host"]}
    stay = [
        nothing | {"id": one["id"], "name": one["name"], "left_out": one["reason"]} for one in plan["left_out"] or ()
    ]
    return [nothing | one for one in plan["instances"] or ()] + stay
