"""Query parameters of lists (reference, section 1.7)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from instance_ha.api.web import Call
from instance_ha.models.errors import BadRequest
from instance_ha.models.text import FALSE, TRUE, utc
from instance_ha.store.paging import Page

Reader = Callable[[str], Any]


def page(call: Call, filters: Mapping[str, Reader]) -> Page:
    """Read paging, order and the filters that a list knows; other parameters are ignored.

    Raises:
        BadRequest: a value is not of its kind.

    """
    _number(call, "page_size", 0)
    most = call.world.settings.osapi_max_limit
    return Page(
        limit=min(_number(call, "limit", most), most),
        marker=text(call.query["marker"][-1]) if "marker" in call.query else None,
        sort=_sort(call),
        filters={name: read(call.query[name][-1]) for name, read in filters.items() if name in call.query},
    )


def _number(call: Call, name: str, default: int) -> int:
    if name not in call.query:
        return default
    text = call.query[name][-1]
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadRequest(f"{name} must be a number of 0 or more")
    return int(text)


def _sort(call: Call) -> tuple[tuple[str, str], ...]:
    keys = call.query.get("sort_key", [])
    directions = call.query.get("sort_dir", [])
    if not keys and directions:
        keys = ["created_at"]
    if len(directions) > len(keys):
        raise BadRequest("there are more sort_dir than sort_key parameters")
    if not set(directions) <= {"asc", "desc"}:
        raise BadRequest("sort_dir must be asc or desc")
    default = directions[0] if directions else "desc"
    directions = directions + [default] * (len(keys) - len(directions))
    return tuple(zip(keys, directions, strict=True))


def text(value: str) -> str:
    """Read a filter that is compared as it is; Postgres cannot hold a NUL."""
    return value.replace("\x00", "\ufffd")


def boolean(value: str) -> bool:
    """Read a boolean word.

    Raises:
        BadRequest: it is none.

    """
    word = value.strip().lower()
    if word not in TRUE | FALSE:
        raise BadRequest(f"{value!r} is neither true nor false")
    return word in TRUE


def time(call: Call, name: str) -> datetime | None:
    """Read a time.

    Raises:
        BadRequest: it is none.

    """
    if name not in call.query:
        return None
    text = call.query[name][-1]
    try:  # a plus sign that was not quoted arrives as a blank
        return utc(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise BadRequest(f"{name} is no ISO 8601 time") from None
