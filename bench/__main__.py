"""``python -m bench``: measure, print one table, and write it to bench/results.json."""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import psutil
from instance_ha import log

from bench import api, capacity, coldstart, console, crash, hosts, memory, outage, recovery, scale, statements
from bench.figures import Row, table
from bench.results import keep

_LISTEN = 2.0  # seconds, to hear how busy the machine is
_ROWS = 1_000_000
_Part = Callable[[argparse.Namespace], tuple[list[Row], str]]
_PARTS: dict[str, _Part] = {
    "coldstart": lambda options: coldstart.measure(options.runs or (3 if options.quick else 7)),
    "recovery": lambda options: recovery.measure(
        options.runs or 1, options.instances or (200 if options.quick else 1000)
    ),
    "crash": lambda _options: crash.measure(),
    "outage": lambda _options: outage.measure(),
    "hosts": lambda _options: hosts.measure(),
    "statements": lambda _options: statements.measure(),
    "capacity": lambda options: capacity.measure(options.runs or (1 if options.quick else 3)),
    "console": lambda options: console.measure(options.runs or (3 if options.quick else 15)),
    "api": lambda options: api.measure(options.runs or (1 if options.quick else 5), options.rows or _ROWS),
    "scale": lambda options: scale.measure(options.rows or _ROWS),
    "memory": lambda options: memory.measure(options.runs or (1 if options.quick else 3)),
}


def main() -> None:
    """Run what was asked for."""
    options = _options()
    log.configure("ERROR")
    busy = psutil.cpu_percent(_LISTEN)
    rows: list[Row] = []
    notes: list[str] = []
    for name in options.only:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        more, note = _PARTS[name](options)
        rows += more
        notes += [note] if note else []
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {busy:.0f} % busy with others' work before."
    keep(rows, machine, datetime.now(UTC))
    print("\n\n".join([machine, table(rows), *notes]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", type=_names, default=list(_PARTS), help=f"some of {','.join(_PARTS)}")
    parser.add_argument("--runs", type=int, help="of each measurement; its figure is the median")
    parser.add_argument("--instances", type=int, help="on the host that dies (1000)")
    parser.add_argument("--rows", type=int, help=f"of the tables that are large ({_ROWS:,})")
    parser.add_argument("--quick", action="store_true", help="fewer runs, 200 instances")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in _PARTS]:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(_PARTS)}")
    return names


if __name__ == "__main__":
    main()
