"""Structured logs: one JSON object a line, coloured text in a terminal; secrets never enter them.

Bind what the reader needs (request id, notification, instance, function) once per request by
:func:`bound`; every line below it carries them.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from instance_ha.masking import masked_values

_BEFORE: list[Any] = [  # of our lines and of those of libraries alike
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str = "INFO") -> None:
    """Set the process's logging up; called by what serves a function, or runs a command."""
    structlog.configure(
        processors=[*_BEFORE, *_last()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=False,
    )
    foreign = logging.StreamHandler(sys.stdout)
    foreign.setFormatter(formatter())
    logging.basicConfig(handlers=[foreign])
    logging.getLogger().setLevel(max(logging.getLevelNamesMapping()[level], logging.WARNING))


def formatter() -> logging.Formatter:
    """Return what writes the lines of libraries in the same form as ours, with what is bound."""
    before = [*_BEFORE, structlog.stdlib.add_logger_name]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=[remove, *_last()])


def _last() -> list[Any]:
    terminal = sys.stdout.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    return [structlog.processors.format_exc_info, _mask, _order, renderer]


def _mask(_logger: Any, _method: str, values: Any) -> dict[str, Any]:
    return masked_values(values)


def _order(_logger: Any, _method: str, values: Any) -> dict[str, Any]:
    """Let each line begin with when, how bad and what."""
    first = {key: values.pop(key) for key in ("timestamp", "level", "event") if key in values}
    return {**first, **values}


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Let every log line inside carry these values (None is left out)."""
    with structlog.contextvars.bound_contextvars(**{k: v for k, v in values.items() if v is not None}):
        yield


def get() -> Any:
    """Return the logger; the values bound by :func:`bound` come by themselves."""
    return structlog.get_logger()
