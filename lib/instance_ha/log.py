"""Structured logs: one JSON object a line, coloured text in a terminal; secrets never enter them.

Bind what the reader needs (request id, notification, instance, function) once per request by
:func:`bound`; every line below it carries them.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

_SHORTEST = 6  # characters: what is shorter would mask half of every line
_hidden: set[str] = set()


def hide(*words: str) -> None:
    """Never log these words, whatever they stand in: a library's error, a traceback."""
    for word in words:
        if len(word) >= _SHORTEST:
            _hidden.update((word, json.dumps(word)[1:-1]))


def masked(text: str) -> str:
    """Return a text without the hidden words."""
    if not _hidden:
        return text
    longest_first = sorted(_hidden, key=len, reverse=True)  # a URL before the password in it
    return re.sub("|".join(map(re.escape, longest_first)), "***", text)


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
            renderer,
            _mask,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    foreign = logging.StreamHandler(sys.stdout)
    foreign.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[foreign])


def _mask(_logger: Any, _method: str, line: Any) -> str:
    return masked(line)


class _JsonLines(logging.Formatter):
    """Lines of libraries, in the same shape as ours."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return masked(json.dumps(line))


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Let every log line inside carry these values (None is left out)."""
    with structlog.contextvars.bound_contextvars(**{k: v for k, v in values.items() if v is not None}):
        yield


def get() -> Any:
    """Return the logger; the values bound by :func:`bound` come by themselves."""
    return structlog.get_logger()
