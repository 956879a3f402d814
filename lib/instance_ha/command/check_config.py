"""``instance-ha check-config``: what would keep the functions from starting, a line each."""

import os
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from instance_ha import settings
from instance_ha.entry import wiring
from instance_ha.models.errors import Misconfigured


def register(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check-config",
        help="check the settings and the files they name",
        description="Check the settings in the environment, the policy file and the recovery flows, as functions do "
        "when they start. Nothing is asked of Nova or Postgres. Prints a line for each problem; exit status 1 if any.",
    )
    parser.set_defaults(run=run)


def run(_given: Namespace) -> int:
    """Check; returns 1 if there is a problem."""
    problems = find_problems()
    for problem in problems:
        print(problem)  # noqa: T201
    return 1 if problems else 0


def find_problems() -> list[str]:
    """Return what is wrong, as far as it can be told without asking anybody."""
    try:
        found = settings.load(os.environ)
    except Misconfigured as error:
        return list(error.problems)
    checks: tuple[Callable[[], None], ...] = (
        lambda: wiring.check(found, os.environ, cloud=False, events=True),
        lambda: wiring.check_cloud(found, os.environ),
        lambda: wiring.check_policy(found),
        lambda: wiring.check_flows(found),
    )
    problems: list[str] = []
    for check in checks:
        try:
            check()
        except Misconfigured as error:
            problems += error.problems
    return problems
