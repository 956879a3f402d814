"""``instance-ha simulate FOLDER``: plays a scenario folder."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from instance_ha.models.errors import InstanceHAError

from instance_ha_simulator.databases import Databases, PostgresError, databases
from instance_ha_simulator.folder.read import FolderError
from instance_ha_simulator.outcome import difference, play
from instance_ha_simulator.scenario import Scenario

_UNPLAYABLE = 2


def main(arguments: Sequence[str], _environ: Mapping[str, str]) -> int:
    """Play it once, or in several orders."""
    options = _parser().parse_args(arguments)
    try:
        scenario = Scenario.read(options.folder)
        with databases(options.postgres) as made:
            return _several(scenario, made, options) if options.runs else _one(scenario, made, options.seed)
    except FolderError as error:
        sys.stderr.write(f"{error}\n")
    except (InstanceHAError, PostgresError) as error:
        sys.stderr.write(f"{options.folder} cannot be played: {error}\n")
    return _UNPLAYABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="instance-ha simulate",
        description="Plays a scenario folder: our functions in a simulated cloud. Prints each decision, and the end. "
        "Exit codes: 0 all promises were kept, 1 not all were, 2 it cannot be played.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="that holds world.yaml, and faults.yaml if any")
    parser.add_argument("--runs", type=_positive, metavar="N", help="play it so often, each time in a random order")
    parser.add_argument("--seed", type=int, metavar="N", help="of the (first) random order")
    parser.add_argument("--postgres", metavar="URL", help="make databases on this server, not on an embedded one")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _one(scenario: Scenario, databases: Databases, seed: int | None) -> int:
    outcome = play(scenario.in_order(seed), databases)
    sys.stdout.write("\n".join([*outcome.log, "", *outcome.account()]) + "\n")
    return int(bool(outcome.broken))


def _several(scenario: Scenario, databases: Databases, options: argparse.Namespace) -> int:
    """Play it in random orders, a line each; then tell how they differ."""
    outcomes = {}
    for seed in range(options.seed or 0, (options.seed or 0) + options.runs):
        outcome = outcomes[seed] = play(scenario.in_order(seed), databases)
        sys.stdout.write(f"seed {seed}: {outcome.line()}\n")
        sys.stdout.flush()
    sys.stdout.write("\n".join(["", *difference(outcomes)]) + "\n")
    return int(any(outcome.broken for outcome in outcomes.values()))
