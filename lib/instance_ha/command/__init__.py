"""``instance-ha``: what operators do at a shell, with the settings of the functions (docs/configuration.md)."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from instance_ha import log
from instance_ha.command import (
    check_config,
    db,
    events,
    explain,
    host_guard,
    import_masakari,
    incident,
    plan,
    readiness,
    return_host,
    simulator,
    status,
    tick,
)
from instance_ha.models.errors import InstanceHAError

_INTERRUPTED = 130  # as shells have it
_COMMANDS = (
    check_config,
    db,
    events,
    explain,
    host_guard,
    import_masakari,
    incident,
    plan,
    readiness,
    return_host,
    simulator,
    status,
    tick,
)


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> None:
    """Run a command and exit."""
    sys.exit(run(parser().parse_args(arguments, argparse.Namespace(environ=environ))))


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    made = argparse.ArgumentParser(
        prog="instance-ha",
        description="Tools for operators of Masakari Functions, with the settings of the functions.",
        epilog="instance-ha COMMAND --help has an example and the exit codes of each.",
    )
    made.add_argument("--version", action="version", version=f"instance-ha {version('instance-ha')}")
    subparsers = made.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.register(subparsers)
    return made


def run(options: argparse.Namespace) -> int:
    """Run what was asked for; every error of ours is one line, and 1. Ctrl-C ends it without a word."""
    log.configure("WARNING")
    try:
        code: int = options.run(options)
    except InstanceHAError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code
