"""``openstack ha evidence list`` and ``evidence confirm``: whether a host is dead."""

import argparse
from typing import Any

from instance_ha.models.evidence import EvidenceKind
from instance_ha.osc.commands import (
    Lister,
    Record,
    ShowOne,
    Table,
    add_long,
    add_paging,
    add_reason,
    duration,
    paging,
    record,
    table,
)

_SHORT = ("host", "kind", "verdict", "source", "seen_at", "valid_until")
_LONG = ("id", *_SHORT, "host_uuid", "notification_uuid", "actor", "detail")


class ListEvidence(Lister):
    """List what is known of hosts whose death was reported, the newest first; it counts until valid_until."""

    example = "evidence list --host compute1 --long"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--host", metavar="<host>", help="Only of this host (name or uuid)")
        add_long(parser)
        add_paging(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List it."""
        found = self.api.page("evidence", host=parsed_args.host, **paging(parsed_args))
        return table(_LONG if parsed_args.long else _SHORT, [self._named(one) for one in found])

    def _named(self, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"host": self.api.names.get(row["host_uuid"], row["host_uuid"])}


class ConfirmEvidence(ShowOne):
    """Confirm that a host is dead; its recovery goes on, whatever signs of life there are.

    Confirm only what you have seen to be dead: if the host lives, its instances run twice and write the same disks.
    """

    example = 'evidence confirm compute1 --reason "power cable pulled, rack 7"'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="<host>", help="Name or uuid of a host whose failure is being handled")
        add_reason(parser)
        length = "How long it counts: 30m (default: 1h, at most 24h)"
        parser.add_argument("--valid-for", metavar="<duration>", type=duration, help=length)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Record:
        """Post it."""
        about = {"host": parsed_args.host, "reason": parsed_args.reason, "valid_for": parsed_args.valid_for}
        return record(self.api.create("evidence", "evidence", kind=EvidenceKind.CONFIRMED, **about))
