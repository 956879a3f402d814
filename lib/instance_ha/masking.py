"""The one mask for secrets, of logs, events and answers: the words that the settings hold, and what looks like one."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"
_SHORTEST = 4  # characters: to mask what is shorter would mask half of every line
_NAMES = r"(?:password|passwd|secret|token|api_?key|signature|authorization)"
_PATTERNS = (
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+@"), rf"\1{MASK}@"),
    (
        # Also as JSON, as Python writes a dict, and as JSON inside JSON: quotes with a backslash before them.
        re.compile(rf"""({_NAMES}\\*["']?\s*[:=]\s*\\*["']?(?:bearer\s+)?)[^\s"'\\,;&)}}\]]+""", re.IGNORECASE),
        rf"\1{MASK}",
    ),
)
_words: list[str] = []  # of this process, the longest first


def hide(*words: str) -> None:
    """Mask these words from now on, in this process, wherever they stand: a library's error, a traceback."""
    known = {*_words, *(word for word in words if len(word) >= _SHORTEST)}
    _words[:] = sorted(known, key=len, reverse=True)  # a URL before the password in it


def masked(text: str) -> str:
    """Return a text without what is secret, or looks so."""
    for word in _words:
        text = text.replace(word, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def masked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with every text in them masked; what is neither text, number nor a collection becomes text."""
    return {key: _masked_value(value) for key, value in values.items()}


def _masked_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return masked_values({str(key): one for key, one in value.items()})
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_masked_value(one) for one in value]
    return masked(str(value))
