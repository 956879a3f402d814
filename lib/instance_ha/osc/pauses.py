"""``openstack ha pause``, ``unpause`` and ``pause list``: nothing new begins."""

import argparse
from typing import Any

from instance_ha.models.gates import Scope
from instance_ha.osc.api import ahead
from instance_ha.osc.commands import (
    AsksApi,
    Lister,
    Record,
    ShowOne,
    Table,
    add_paging,
    add_reason,
    duration,
    for_each,
    paging,
    record,
    table,
)


class Pause(ShowOne):
    """Begin no recovery until a time; what has begun ends as it would.

    Reports are taken all the same, and what was held begins when the pause is over.
    """

    example = 'pause --segment rack7 --for 2h --reason "core switch is replaced"'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--cloud", action="store_true", help="Pause the whole cloud")
        scope.add_argument("--segment", metavar="<segment>", help="Pause a segment (name or uuid)")
        scope.add_argument("--host", metavar="<host>", help="Pause a host (name or uuid), and what is on it")
        end = parser.add_mutually_exclusive_group(required=True)
        end.add_argument(
            "--for", dest="length", metavar="<duration>", type=duration, help="How long: 90m, 1h30m; at most 168h"
        )
        end.add_argument("--until", metavar="<time>", help="Until when: 2026-11-28T06:00:00Z; without a zone it is UTC")
        add_reason(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Record:
        """Begin it."""
        until = parsed_args.until if parsed_args.until is not None else ahead(parsed_args.length)
        made = self.api.create("pauses", "pause", **self._scope(parsed_args), until=until, reason=parsed_args.reason)
        return record(made)

    def _scope(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        if parsed_args.segment is not None:
            return {"scope": Scope.SEGMENT, "segment_uuid": self.api.segment(parsed_args.segment)}
        if parsed_args.host is not None:
            return {"scope": Scope.HOST, "host": parsed_args.host}
        return {"scope": Scope.CLOUD}


class Unpause(AsksApi):
    """End pauses before their time; recoveries that they hold go on at once."""

    example = "unpause 0b9f6a0c-7f0f-4f52-8d0a-3b1f3e4c2a11"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("pauses", metavar="<pause>", nargs="+", help='uuid of a pause, as "ha pause list" shows it')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """End them."""
        for_each(parsed_args.pauses, "pause", lambda uuid: self.api.delete("pauses", uuid))


class ListPause(Lister):
    """List the pauses that are in force, the newest first."""

    example = "pause list --all --limit 20"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--all", action="store_true", help="Also those that are over")
        add_paging(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List them."""
        active = None if parsed_args.all else "true"
        found = self.api.page("pauses", active=active, **paging(parsed_args))
        columns = ("id", "uuid", "scope", "name", "until", "reason", "actor", "ended_at")
        return table(columns, [one | {"name": self._name(one)} for one in found])

    def _name(self, pause: dict[str, Any]) -> str | None:
        uuid = pause["segment_uuid"] or pause["host_uuid"]
        return self.api.names.get(uuid, uuid) if uuid else None
