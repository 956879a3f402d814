"""What the commands have in common: their help, ``-o json``, and what they print."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

_CODES = {0: "done", 1: "not done, and a line on stderr says why", 2: "wrong arguments"}


def add(
    subparsers: Any,
    name: str,
    meaning: str,
    run: Callable[[argparse.Namespace], int],
    *,
    example: str,
    codes: Mapping[int, str] | None = None,
) -> argparse.ArgumentParser:
    """Add a command; ``example`` follows ``instance-ha`` in its help, ``codes`` are exit codes of its own meaning."""
    lines = [f"{code}  {words}" for code, words in sorted((_CODES | dict(codes or {})).items())]
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=meaning,
        description=f"{meaning[0].upper()}{meaning[1:]}.",
        epilog="\n  ".join(["example:", f"instance-ha {example}"]) + "\n\n" + "\n  ".join(["exit codes:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_output(parser: argparse.ArgumentParser, people: str = "text") -> None:
    """Add the choice between what people read and what programs read."""
    formats = (people, "json")
    parser.add_argument("-o", "--output", choices=formats, default=people, help=f"{people} (default) or json")


def write(options: argparse.Namespace, value: Any, lines: Iterable[str]) -> None:
    """Print a value for programs, or the lines for people, as the caller has asked."""
    text = json.dumps(value, indent=2, default=_plain) if options.output == "json" else "\n".join(lines)
    sys.stdout.write(f"{text}\n" if text else "")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
