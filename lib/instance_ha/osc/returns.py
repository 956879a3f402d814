"""``openstack ha return`` and its list, show and stop: recovered hosts serve again."""

import argparse
from typing import Any

from osc_lib.exceptions import CommandError

from instance_ha.osc.api import Api, is_uuid
from instance_ha.osc.commands import AsksApi, Lister, Record, ShowOne, Table, add_paging, paging, record, table


class Return(ShowOne):
    """Bring a recovered host back; it waits until the host may serve again, and its message says for what."""

    example = "return compute1 --move-home"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="<host>", help="Name or uuid of a host")
        parser.add_argument("--move-home", action="store_true", help="Live-migrate its instances home")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Record:
        """Ask for it."""
        return record(self.api.create("returns", "return", host=parsed_args.host, move_home=parsed_args.move_home))


class ListReturn(Lister):
    """List returns, the newest first."""

    example = "return list --host compute1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--host", metavar="<host>", help="Only of this host (name or uuid)")
        add_paging(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List them."""
        found = self.api.page("returns", host=parsed_args.host, **paging(parsed_args))
        columns = ("id", "uuid", "host", "status", "move_home", "is_back", "message", "created_at", "ended_at")
        return table(columns, [one | {"host": self.api.names.get(one["host_uuid"], one["host_uuid"])} for one in found])


class _OfReturn(AsksApi):
    """A command about one return."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("return_", metavar="<return>", help="uuid of a return, or name of a host: its last return")
        return parser


class ShowReturn(_OfReturn, ShowOne):
    """Show how far a return is, and what it waits for."""

    example = "return show compute1"

    def take_action(self, parsed_args: argparse.Namespace) -> Record:
        """Show it."""
        return record(_find(self.api, parsed_args.return_))


class StopReturn(_OfReturn):
    """Stop a return: nothing more begins, what is under way ends as it would, and what was done stays."""

    example = "return stop compute1"

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Stop it."""
        self.api.delete("returns", _find(self.api, parsed_args.return_)["uuid"])


def _find(api: Api, name: str) -> dict[str, Any]:
    if is_uuid(name):
        return api.show("returns", name)
    for found in api.page("returns", host=name, limit=1):
        return found
    raise CommandError(f"Host {name} was never brought back")
