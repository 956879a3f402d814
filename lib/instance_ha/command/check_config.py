"""``instance-ha check-config``: finds what would stop a function, in the settings and in what they lead to."""

import argparse
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from instance_ha import composition, log, masking, startup
from instance_ha.command.parts import Part, parts
from instance_ha.models.errors import InstanceHAError, Misconfigured, TimeIsUp
from instance_ha.recovery import flows
from instance_ha.settings import Settings, load
from instance_ha.timeouts import with_timeout

_PATIENCE = 60.0  # seconds for one part; questions to Nova are repeated

_LONGEST_IDLE = 20.0  # seconds; what the settings lead to by default is less


def register(subcommands: Any) -> None:
    """Add the subcommand."""
    parser = subcommands.add_parser("check-config", help="check the settings, and ask each part that they name")
    parser.add_argument("--offline", action="store_true", help="check the settings only, and ask nothing")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a line for each part, and one for each problem; 0 when there is no problem."""
    try:
        settings = load(options.environ)
    except Misconfigured as error:
        return _end([str(error)])
    checks = (
        startup.check_secrets,
        startup.check_triggers,
        startup.check_cloud,
        startup.check_policy,
        startup.check_monitoring,
        startup.check_guests,
        startup.check_fencing,
        flows.check,
    )
    problems = [problem for check in checks if (problem := _problem(check, settings, options.environ))]
    if not problems and not options.offline:
        log.configure("CRITICAL")  # what a part has to say stands in its line
        asked = parts(composition.of(options.environ).whole(), options.environ)
        with ThreadPoolExecutor(len(asked)) as pool:
            answers = list(pool.map(_ask, asked))
        for part, (answered, words) in zip(asked, answers, strict=True):
            sys.stdout.write(f"{part.name:<24}{'answers' if answered else 'FAILS'}{': ' if words else ''}{words}\n")
        problems = [f"{part.name}: {words}" for part, (ok, words) in zip(asked, answers, strict=True) if not ok]
    if settings.idle_after_crash > _LONGEST_IDLE:
        sys.stdout.write(
            f"Note: after a crash of everything a recovery stands still for up to {settings.idle_after_crash:g} s, "
            f"more than {_LONGEST_IDLE:g} s: by lease_time or nova_timeout, and sweep_time.\n"
        )
    return _end(problems)


def _problem(check: startup.Check, settings: Settings, environ: Mapping[str, str]) -> str | None:
    try:
        check(settings, environ)
    except Misconfigured as error:
        return str(error)
    except ImportError as error:
        return _missing(error)
    return None


def _ask(part: Part) -> tuple[bool, str]:
    """Ask a part; returns whether it answered, and one line about it."""
    try:
        return True, with_timeout(part.ask, _PATIENCE)
    except TimeIsUp:
        words = f"no answer in {_PATIENCE:.0f} s"
    except InstanceHAError as error:
        words = str(error)
    except ImportError as error:
        words = _missing(error)
    except Exception as error:  # of any client: whatever is wrong, this is the place to say so
        words = f"{type(error).__name__}: {error}"
    return False, masking.masked(" ".join(words.split()))


def _missing(error: ImportError) -> str:
    return f"{error.name} is not installed here (the extras of instance-ha bring it, as in each function's image)"


def _end(problems: list[str]) -> int:
    for problem in problems:
        sys.stderr.write(f"instance-ha: {problem}\n")
    if not problems:
        sys.stdout.write("The configuration is good.\n")
    return 1 if problems else 0
