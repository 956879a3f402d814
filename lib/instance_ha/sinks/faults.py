"""An error, as others may read it: where it was raised, what it says, and no secret."""

import traceback
from typing import Any

from instance_ha.masking import masked
from instance_ha.sinks.payloads import ExceptionPayload

_LONGEST = 8192  # characters of a text; SNS and SQS take 256 KiB in all


def fault(error: BaseException) -> ExceptionPayload:
    """Describe an error. One that was never raised has no traceback, and no function."""
    frames = list(traceback.walk_tb(error.__traceback__))
    where: Any = frames[-1][0] if frames else None
    original = getattr(error, "orig", None)  # a driver's error: its own text has no parameters of the statement
    message = str(original if isinstance(original, BaseException) else error)
    # Made here, since Python's own text repeats whole chains of errors.
    trace = f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}: {message}" if frames else ""
    return ExceptionPayload(
        module_name=where.f_globals.get("__name__", "unknown") if where else type(error).__module__,
        function_name=where.f_code.co_name if where else "unknown",
        exception=type(error).__name__,
        exception_message=masked(message)[:_LONGEST],
        traceback=masked(trace)[-_LONGEST:],
    )
