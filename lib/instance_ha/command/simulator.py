"""``instance-ha simulate`` and ``replay``: of the package instance-ha-simulator, found by its entry points."""

import argparse
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from instance_ha.models.errors import Misconfigured

_COMMANDS = {
    "simulate": "play a scenario folder: our functions in a simulated cloud",
    "replay": "write a recovery down as a scenario folder, without any name",
}


def register(subparsers: Any) -> None:
    """Add the commands; each reads its arguments itself, options too."""
    for name, meaning in _COMMANDS.items():
        parser = subparsers.add_parser(name, help=meaning, add_help=False, prefix_chars="\0")
        parser.add_argument("arguments", nargs="*")
        parser.set_defaults(run=run, command=name)


def run(options: argparse.Namespace) -> int:
    """Run one of them."""
    code: int = find(options.command).load()(options.arguments, options.environ)
    return code


def find(name: str) -> EntryPoint:
    """Find a command.

    Raises:
        Misconfigured: the package is not installed.

    """
    for entry in entry_points(group="instance_ha.commands", name=name):
        return entry
    raise Misconfigured("the simulator is not installed here: pip install -e ./lib -e ./simulator, in a checkout")
