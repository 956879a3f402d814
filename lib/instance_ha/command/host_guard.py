"""``instance-ha host-guard``: whether the nova-compute of this host may start, for systemd or an init container.

It asks the API, since a compute host has no way to Postgres, and should have none.
"""

import argparse
import sys
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.composition import WITHOUT_DATABASE
from instance_ha.models.errors import CloudRefused, CloudUnavailable, Misconfigured
from instance_ha.world import SystemClock

_MUST_NOT, _NOT_KNOWN = 1, 2
_PAUSE = 5.0  # seconds


def register(subparsers: Any) -> None:
    """Add the command."""
    meaning = "whether the nova-compute of a host may start"
    codes = {0: "it may", _MUST_NOT: "it must not", _NOT_KNOWN: "not known, or wrong arguments"}
    parser = shell.add(
        subparsers, "host-guard", meaning, host_guard, example="host-guard compute1 --wait 300", codes=codes
    )
    parser.add_argument("host", metavar="HOST", help="name, as Nova has it")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="ask again until it may start")
    parser.add_argument("--start-if-unknown", action="store_true", help="exit 0 when the API does not answer")
    shell.add_output(parser)


def host_guard(options: argparse.Namespace) -> int:
    """Print why, and say it by the exit code."""
    clock = SystemClock()
    until = clock.now() + timedelta(seconds=options.wait)
    while (code := _ask(options)) and clock.now() < until:
        clock.sleep(_PAUSE)
    return 0 if code == _NOT_KNOWN and options.start_if_unknown else code


def _ask(options: argparse.Namespace) -> int:
    try:
        client = composition.of(WITHOUT_DATABASE | options.environ).api_client()
        guard = client.call("GET", f"/x-instance-ha/host-guards/{quote(options.host, safe='')}")["host_guard"]
    except (CloudUnavailable, CloudRefused, Misconfigured) as error:
        sys.stderr.write(f"{options.host}: not known: {error}\n")
        return _NOT_KNOWN
    said = "may start" if guard["may_start"] else "must not start"
    shell.write(options, guard, [f"nova-compute on {options.host} {said}: {guard['reason']}"])
    return 0 if guard["may_start"] else _MUST_NOT
