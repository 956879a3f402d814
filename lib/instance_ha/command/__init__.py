"""The operator's command ``instance-ha``; each subcommand is a module with ``register(subparsers)``."""

import argparse
from collections.abc import Sequence

from instance_ha.command import check_config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit status."""
    parser = argparse.ArgumentParser(prog="instance-ha", description="Masakari Functions, for operators.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (check_config,):
        command.register(subparsers)
    given = parser.parse_args(arguments)
    return int(given.run(given))
