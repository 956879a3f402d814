"""Types of single values."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StrictStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from instance_ha.models.text import FALSE, TRUE, utc

_TRUE = ("True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes")
_FALSE = ("False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no")
_LARGEST = 18  # digits of an integer that Postgres can hold


def wrong(message: str) -> PydanticCustomError:
    """Say what is wrong with a value; the text never repeats the value."""
    return PydanticCustomError("wrong", message)


def _printable(value: str, also: str = "") -> str:
    if any(not (c.isprintable() or c in also) or ord(c) > 0xFFFF for c in value):
        raise wrong("has characters that cannot be printed")
    return value


def _name(value: str) -> str:
    if value != value.strip():
        raise wrong("begins or ends with white space")
    return _printable(value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _TRUE + _FALSE:
        return value in _TRUE
    raise wrong("is neither true nor false")


def _word(value: str) -> bool:
    word = value.strip().lower()
    if word not in TRUE | FALSE:
        raise wrong("is neither true nor false")
    return word in TRUE


def _uuid_like(value: str) -> str:
    try:
        UUID(value)
    except ValueError:
        raise wrong("is not a uuid") from None
    return value


def _time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise wrong("is not a string with an ISO 8601 time")
    try:
        return utc(value)
    except ValueError:
        raise wrong("is not an ISO 8601 time") from None


def _query_time(value: str) -> datetime:
    return _time(value.replace(" ", "+") if "T" in value else value)  # a plus sign that was not quoted is a blank


def _number(value: Any) -> int:
    if not (isinstance(value, str) and value.isascii() and value.isdigit()) or len(value) > _LARGEST:
        raise wrong("must be a number of 0 or more")
    return int(value)


def _without_nul(value: str) -> str:
    return value.replace("\x00", "\ufffd")  # Postgres cannot hold it, so nothing there can match


def _shown(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _shown_in_seconds(value: datetime) -> str:
    return _shown(value.replace(microsecond=0))


# In request bodies
Name = Annotated[StrictStr, Field(min_length=1, max_length=255), AfterValidator(_name)]
Text = Annotated[StrictStr, AfterValidator(lambda value: _printable(value, "\n"))]
Alnum = Annotated[StrictStr, Field(max_length=255, pattern=r"^[a-zA-Z0-9]*$")]
Bool = Annotated[
    bool,
    BeforeValidator(_bool),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "enum": [*_TRUE, *_FALSE]}]}),
]
Short = Annotated[StrictStr, Field(min_length=1, max_length=255), AfterValidator(_printable)]
UuidLike = Annotated[Short, AfterValidator(_uuid_like)]
HostName = Annotated[StrictStr, Field(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9\-._]*$")]
Time = Annotated[
    datetime,
    BeforeValidator(_time),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "description": "ISO 8601; without a zone it is UTC."},
    ),
]

# In queries
Number = Annotated[int, BeforeValidator(_number), WithJsonSchema({"type": "integer", "minimum": 0})]
Filter = Annotated[str, AfterValidator(_without_nul)]
Word = Annotated[
    bool, BeforeValidator(_word), WithJsonSchema({"type": "string", "enum": sorted(TRUE | FALSE)}, mode="validation")
]
QueryTime = Annotated[datetime, BeforeValidator(_query_time), WithJsonSchema({"type": "string", "format": "date-time"})]

# In answers
_SHOWN = WithJsonSchema(
    {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$", "description": "UTC."}
)
Shown = Annotated[datetime, PlainSerializer(_shown, return_type=str), _SHOWN]
ShownInSeconds = Annotated[datetime, PlainSerializer(_shown_in_seconds, return_type=str), _SHOWN]
