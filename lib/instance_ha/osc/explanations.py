"""``openstack ha explain``: why a recovery is where it is."""

import argparse
from collections.abc import Iterator
from typing import Any

from instance_ha.osc.commands import Lines, Record, ShowOne, add_notification, record


class Explain(ShowOne):
    """Show why a recovery is where it is, what it waits for, and what releases it."""

    example = "explain 5f0c9a0e-4c1b-4b5e-9a3f-0d7c52f0a6c4 --long"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        add_notification(parser)
        parser.add_argument("--long", action="store_true", help="Show the rows behind each answer")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Record:
        """Show the answers."""
        found = self.api.show("explanations", parsed_args.notification)
        return record(found | {"questions": Lines(found["questions"], _long if parsed_args.long else _short)})


def _short(one: dict[str, Any]) -> str:
    return f"{one['question']} {one['answer'].replace('_', ' ')}: {one['text']}"


def _long(one: dict[str, Any]) -> str:
    def lines() -> Iterator[str]:
        yield _short(one)
        yield from (f"  {because['at'][:19]} {because['text']}" for because in one["because"])

    return "\n".join(lines())
