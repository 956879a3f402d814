"""``instance-ha``: what operators run by hand. Each subcommand is a module with ``register``."""

import argparse
import sys

from instance_ha.command import check_config


def main() -> None:
    """Run a subcommand; its result is the exit code."""
    parser = argparse.ArgumentParser(prog="instance-ha", description="Tools for operators of Masakari Functions.")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    check_config.register(subcommands)
    options = parser.parse_args()
    sys.exit(options.run(options))
