"""``instance-ha check-config``: finds what would stop a function, in the settings and in what they lead to."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from instance_ha import composition, log, masking, startup
from instance_ha.command import shell
from instance_ha.command.parts import Part, parts
from instance_ha.models.errors import InstanceHAError, Misconfigured, TimeIsUp
from instance_ha.recovery import flows
from instance_ha.settings import Settings, load
from instance_ha.timeouts import with_timeout

_PATIENCE = 60.0  # seconds for one part; questions to Nova are repeated

_LONGEST_IDLE = 20.0  # seconds; what the settings lead to by default is less


@dataclass(frozen=True)
class _Answered:
    """Whether a part has answered, and one line about it."""

    part: str
    answers: bool
    words: str

    @property
    def line(self) -> str:
        return f"{self.part:<24}{'answers' if self.answers else 'FAILS'}{': ' if self.words else ''}{self.words}"


def register(subcommands: Any) -> None:
    """Add the subcommand."""
    meaning, codes = "check the settings, and ask each part that they name", {1: "there is a problem; stderr names it"}
    parser = shell.add(subcommands, "check-config", meaning, run, example="check-config --offline", codes=codes)
    parser.add_argument("--offline", action="store_true", help="check the settings only, and ask nothing")
    shell.add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Print a line for each part, and one for each problem; 0 when there is no problem."""
    try:
        settings = load(options.environ)
    except Misconfigured as error:
        return _end(options, [str(error)])
    checks = (
        startup.check_secrets,
        startup.check_triggers,
        startup.check_cloud,
        startup.check_policy,
        startup.check_monitoring,
        startup.check_guests,
        startup.check_fencing,
        startup.check_console,
        flows.check,
    )
    answers: list[_Answered] = []
    problems = [problem for check in checks if (problem := _problem(check, settings, options.environ))]
    if not problems and not options.offline:
        log.configure("CRITICAL")  # what a part has to say stands in its line
        asked = parts(composition.of(options.environ).whole(), options.environ)
        with ThreadPoolExecutor(len(asked)) as pool:
            answers = list(pool.map(_ask, asked))
        problems = [f"{one.part}: {one.words}" for one in answers if not one.answers]
    return _end(options, problems, answers, _note(settings))


def _note(settings: Settings) -> str | None:
    if settings.idle_after_crash <= _LONGEST_IDLE:
        return None
    return (
        f"Note: after a crash of everything a recovery stands still for up to {settings.idle_after_crash:g} s, "
        f"more than {_LONGEST_IDLE:g} s: by lease_time or nova_timeout, and sweep_time."
    )


def _problem(check: startup.Check, settings: Settings, environ: Mapping[str, str]) -> str | None:
    try:
        check(settings, environ)
    except Misconfigured as error:
        return str(error)
    except ImportError as error:
        return _missing(error)
    return None


def _ask(part: Part) -> _Answered:
    """Ask a part."""
    try:
        return _Answered(part.name, True, with_timeout(part.ask, _PATIENCE))
    except TimeIsUp:
        words = f"no answer in {_PATIENCE:.0f} s"
    except InstanceHAError as error:
        words = str(error)
    except ImportError as error:
        words = _missing(error)
    except Exception as error:  # of any client: whatever is wrong, this is the place to say so
        words = f"{type(error).__name__}: {error}"
    return _Answered(part.name, False, masking.masked(" ".join(words.split())))


def _missing(error: ImportError) -> str:
    return f"{error.name} is not installed here (the extras of instance-ha bring it, as in each function's image)"


def _end(
    options: argparse.Namespace, problems: list[str], answers: Sequence[_Answered] = (), note: str | None = None
) -> int:
    lines = [one.line for one in answers] + ([note] if note else [])
    lines += [] if problems else ["The configuration is good."]
    shell.write(options, {"parts": list(answers), "problems": problems, "note": note}, lines)
    for problem in problems:
        sys.stderr.write(f"instance-ha: {problem}\n")
    return 1 if problems else 0
