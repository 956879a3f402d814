"""``instance-ha return``: brings a recovered host back, by the API and with the caller's own rights."""

import argparse
from typing import Any

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.composition import WITHOUT_DATABASE
from instance_ha.models.errors import BadRequest
from instance_ha.models.returns import OPEN_RETURN

_PATH = "/x-instance-ha/returns"


def register(subparsers: Any) -> None:
    """Add the command."""
    meaning, example = "bring a recovered host back, and its instances home", "return compute1 --move-home"
    parser = shell.add(subparsers, "return", meaning, return_host, example=example)
    parser.add_argument("host", metavar="HOST", help="name or uuid")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--move-home", action="store_true", help="live-migrate its instances home")
    what.add_argument("--show", action="store_true", help="only show its last return")
    what.add_argument("--stop", action="store_true", help="stop its return: nothing more begins")
    shell.add_output(parser)


def return_host(options: argparse.Namespace) -> int:
    """Ask for it, and print how it stands."""
    client = composition.of(WITHOUT_DATABASE | options.environ).api_client()
    if not (options.show or options.stop):
        body = {"return": {"host": options.host, "move_home": options.move_home}}
        _print(options, client.call("POST", _PATH, body)["return"])
        return 0
    found = client.call("GET", f"{_PATH}?host={options.host}&limit=1")["returns"]
    if not found:
        raise BadRequest(f"host {options.host} was never brought back")
    if options.stop and found[0]["status"] in OPEN_RETURN:
        client.call("DELETE", f"{_PATH}/{found[0]['uuid']}")
        found = [client.call("GET", f"{_PATH}/{found[0]['uuid']}")["return"]]
    _print(options, found[0])
    return 0


def _print(options: argparse.Namespace, shown: dict[str, Any]) -> None:
    stopping = ", is to stop" if shown["stopped_by"] and shown["status"] in OPEN_RETURN else ""
    message = f": {shown['message']}" if shown["message"] else ""
    shell.write(options, shown, [f"return {shown['uuid']}: {shown['status']}{stopping}{message}"])
