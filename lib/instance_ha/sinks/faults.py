"""An error, as others may read it: where it was raised, what it says, and no secret."""

import re
import traceback
from collections.abc import Iterable
from typing import Any

from instance_ha.sinks.payloads import ExceptionPayload

MASK = "***"
_MOST = 8192  # characters of a text; SNS and SQS take 256 KiB in all
_PATTERNS = (
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+@"), rf"\1{MASK}@"),
    (
        re.compile(
            r"""((?:password|passwd|secret|token|api_?key|signature|x-auth-token|x-subject-token)["']?\s*[:=]\s*["']?)"""
            r"""[^\s"',;&)}\]]+""",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)


def mask(text: str, secrets: Iterable[str]) -> str:
    """Replace what is secret, or looks so."""
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def fault(error: BaseException, secrets: Iterable[str]) -> ExceptionPayload:
    """Describe an error. One that was never raised has no traceback, and no function."""
    known = list(secrets)
    frames = list(traceback.walk_tb(error.__traceback__))
    where: Any = frames[-1][0] if frames else None
    # Made here, since Python's own text repeats whole chains, and a driver's errors with all parameters.
    said = _message(error)
    trace = f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}: {said}" if frames else ""
    return ExceptionPayload.of(
        {
            "module_name": where.f_globals.get("__name__", "unknown") if where else type(error).__module__,
            "function_name": where.f_code.co_name if where else "unknown",
            "exception": type(error).__name__,
            "exception_message": mask(said, known)[:_MOST],
            "traceback": mask(trace, known)[-_MOST:],
        }
    )


def _message(error: BaseException) -> str:
    """Say what an error says; of a driver's error without the parameters of its statement."""
    original = getattr(error, "orig", None)
    return str(original if isinstance(original, BaseException) else error)
