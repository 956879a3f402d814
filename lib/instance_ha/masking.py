"""The one mask for secrets, of logs, events and answers: the words that the settings hold, and what looks like one."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from instance_ha.models.errors import Misconfigured

MASK = "***"
IN_CLOUDS_YAML = frozenset({"password", "token", "application_credential_secret"})  # names of what is secret there
_SHORTEST = 6  # characters: to mask what is shorter would mask half of every line
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


def hide(secrets: Mapping[str, Iterable[str]]) -> None:
    """Mask words from now on, in this process, wherever they stand: a library's error, a traceback.

    Args:
        secrets: words by what they are, in words for an operator.

    Raises:
        Misconfigured: one is too short to be masked.

    """
    found = {word: what for what, words in secrets.items() for word in words if word}
    for word, what in found.items():
        if len(word) < _SHORTEST:
            raise Misconfigured(f"{what} is shorter than {_SHORTEST} characters: it could not be masked in logs")
    _words[:] = sorted({*_words, *found}, key=len, reverse=True)  # a URL before the password in it


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
