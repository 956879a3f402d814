"""``openstack ha incident show``, ``report`` and ``instance list``: what an outage has cost."""

import argparse
from typing import Any

from instance_ha.osc.commands import (
    AsksApi,
    Lines,
    Lister,
    Record,
    ShowOne,
    Table,
    add_long,
    add_notification,
    record,
    table,
)

_SHORT = ("instance_name", "status", "dest_host", "outage", "ended")
_LONG = ("instance_uuid", *_SHORT, "source_host", "planned_at", "asked_at", "moved_at", "rested_at", "alive_at")


class ShowIncident(ShowOne):
    """Show what an outage has cost: when it was over for how many instances, and what failed. Times are in seconds."""

    example = "incident show 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        add_notification(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Record:
        """Show it."""
        found = self.api.show("incidents", parsed_args.notification)
        about = {name: found[name] for name in ("notification_uuid", "type", "status", "host", "message")}
        return record(
            about
            | found["totals"]
            | {"moments": Lines(found["moments"], _moment), "spreads": Lines(found["spreads"], _spread)}
            | {"failures": Lines(found["failures"], _failure), "not_evacuated": Lines(found["left_out"])}
        )


class ReportIncident(AsksApi):
    """Write the account of an outage as a page of Markdown, for a ticket or a report."""

    example = "incident report 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4 > outage.md"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        add_notification(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Write it."""
        self.app.stdout.write(self.api.show("incidents", parsed_args.notification)["markdown"])


class ListIncidentInstance(Lister):
    """List what each instance went through: its outage in seconds, and by what it is over."""

    example = "incident instance list 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4 --sort-column outage"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        add_notification(parser)
        add_long(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List them."""
        found = self.api.show("incidents", parsed_args.notification)
        return table(_LONG if parsed_args.long else _SHORT, found["instances"])


def _moment(one: dict[str, Any]) -> str:
    after = "" if one["after"] is None else f" (after {one['after']:.1f} s)"
    return f"{one['name']}: {one['at'][:19] if one['at'] else 'not known'}{after}"


def _spread(one: dict[str, Any]) -> str:
    return f"{one['part']}: half {one['p50']:.1f}, 90 % {one['p90']:.1f}, longest {one['longest']:.1f} ({one['count']})"


def _failure(one: dict[str, Any]) -> str:
    return f"{one['at'][:19]} {one['instance_name']} on {one['host'] or 'no host'}: {one['reason']}"
