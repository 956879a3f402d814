"""``instance-ha check-config``: finds in the settings of this environment what would stop a function."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from instance_ha import startup
from instance_ha.models.errors import Misconfigured
from instance_ha.recovery import flows
from instance_ha.settings import Settings, load


def register(subcommands: Any) -> None:
    """Add the subcommand."""
    parser = subcommands.add_parser("check-config", help="check settings, cloud, policy file and recovery flows")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a line for each problem; 0 when there is none."""
    try:
        settings = load(options.environ)
    except Misconfigured as error:
        return _tell([str(error)])
    checks: list[Callable[[Settings], None]] = [
        startup.check_secrets,
        startup.check_triggers,
        lambda settings: startup.check_cloud(settings, options.environ),
        startup.check_policy,
        flows.check,
    ]
    return _tell([problem for check in checks for problem in _problems(check, settings)])


def _problems(check: Callable[[Settings], None], settings: Settings) -> list[str]:
    try:
        check(settings)
    except Misconfigured as error:
        return [str(error)]
    return []


def _tell(problems: list[str]) -> int:
    for problem in problems:
        sys.stderr.write(f"instance-ha: {problem}\n")
    if not problems:
        sys.stdout.write("The configuration is good.\n")
    return 1 if problems else 0
