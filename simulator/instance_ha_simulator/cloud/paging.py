"""Pages of lists: limit, marker, changes-since, and the link to the next page."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from instance_ha_simulator.cloud.errors import bad_request

Args = MultiDict[str, str]
T = TypeVar("T")


def check_names(args: Args, allowed: Iterable[str], message: str) -> None:
    """Answer 400 if a query parameter has an unknown name; `message` holds a %s for it."""
    for name in args:
        if name not in allowed:
            raise bad_request(message % name)


def limit(args: Args, most: int) -> int:
    """Return how many items may be on a page: as many as are asked for, but never more than `most`."""
    text = args.get("limit")
    if text is None:
        return most
    if not re.fullmatch("[0-9]*", text):
        raise bad_request(
            f"Invalid input for query parameters limit. Value: {text}. {text!r} does not match '^[0-9]*$'"
        )
    return min(int(text or 0), most)


def changes_since(args: Args) -> datetime | None:
    """Return the time of the changes-since parameter."""
    text = args.get("changes-since")
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise bad_request(
            f"Invalid input for query parameters changes-since. Value: {text}. {text!r} is not a 'date-time'"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def after(items: list[T], marker: str | None, key: Callable[[T], str], unknown: str) -> list[T]:
    """Return what comes after the item with the marker's id, or answer 400 with `unknown`."""
    if marker is None:
        return items
    for position, item in enumerate(items):
        if key(item) == marker:
            return items[position + 1 :]
    raise bad_request(unknown)


def next_link(url: str, args: Args, page: list[Any], most: int, marker: Callable[[], str]) -> list[dict[str, str]]:
    """Return the link to the next page: there is one after each full page, even if nothing follows."""
    if not page or len(page) < limit(args, most):
        return []
    query = sorted((k, v) for k, v in args.items(multi=True) if k != "marker")
    return [{"rel": "next", "href": f"{url}?{urlencode([*query, ('marker', marker())])}"}]
