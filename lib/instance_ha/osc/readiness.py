"""``openstack ha readiness``: how many hosts may die."""

import argparse
from typing import Any

from instance_ha.models.exit_codes import NEEDS_ATTENTION
from instance_ha.osc.commands import Columns, Lines, Lister, Table, add_long, table

_SHORT: Columns = ("segment_name", "survives", "unfenceable", "unrecoverable", "trouble", "checked_at", "is_fresh")
_LONG: Columns = (*_SHORT, "segment_uuid", "reason", "since")
_OF_HOSTS: Columns = ("name", "fit", "protected", "left_over", "instances", "fence_troubles", "reason")


class Readiness(Lister):
    """List what each segment would survive, or what would become of each host of one, as it was found last.

    The number "survives" says that any so many hosts of the segment may die, and all that could be recovered still
    fits; None means that it is not known.

    The exit code is 3 when one of the segments does not survive the loss of any one host, or that is not known, or was
    found too long ago (is_fresh).
    """

    example = "readiness rack7"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("segment", metavar="<segment>", nargs="?", help="Name or uuid: show it host by host")
        add_long(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List it."""
        if parsed_args.segment is None:
            listed = self.api.page("readiness")
            self._rate(listed)
            return table(_LONG if parsed_args.long else _SHORT, listed)
        found = self.api.show("readiness", self.api.segment(parsed_args.segment))
        self._rate([found])
        columns = (*_OF_HOSTS, "uuid") if parsed_args.long else _OF_HOSTS
        return table(columns, [_host(host) for host in found["hosts"]])

    def _rate(self, segments: list[dict[str, Any]]) -> None:
        if not all(one["survives"] and one["is_fresh"] for one in segments):
            self.exit_code = NEEDS_ATTENTION


def _host(host: dict[str, Any]) -> dict[str, Any]:
    return host | {
        "left_over": Lines(host["left_over"]),
        "instances": Lines(host["instances"], lambda one: f"{one['name']} ({one['id']}): {one['reason']}"),
        "fence_troubles": Lines(host["fence_troubles"]),
    }
