"""Structured logs: one JSON object a line, coloured text in a terminal; secrets never enter them.

Bind what the reader needs (request id, notification, instance, function) once per request by
:func:`bound`; every line below it carries them.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from instance_ha.masking import masked_values


def configure(level: str = "INFO") -> None:
    """Set the process's logging up; called once by a function's entry."""
    number = logging.getLevelNamesMapping()[level]
    terminal = sys.stdout.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    foreign = logging.StreamHandler(sys.stdout)
    foreign.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[foreign])


def _mask(_logger: Any, _method: str, values: Any) -> dict[str, Any]:
    return masked_values(values)


class _JsonLines(logging.Formatter):
    """Lines of libraries, in the same shape as ours."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(masked_values(line))


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Let every log line inside carry these values (None is left out)."""
    with structlog.contextvars.bound_contextvars(**{k: v for k, v in values.items() if v is not None}):
        yield


def get() -> Any:
    """Return the logger; the values bound by :func:`bound` come by themselves."""
    return structlog.get_logger()
