"""Nova's lists: every page of them."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from instance_ha.models.errors import CloudUnavailable

Get = Callable[[str], Any]


def pages(get: Get, path: str, query: dict[str, str], key: str, links: str) -> Iterator[list[dict[str, Any]]]:
    """Read a list page by page, as far as its own links go.

    Nova cuts a page to its ``[api] max_limit`` without a word, so the length of a page says nothing.
    ``key`` and ``links`` name the items and the links in the answer.
    """
    marker: dict[str, str] = {}
    while True:
        body = get(f"{path}?{urlencode({**query, **marker})}")
        if body[key]:
            yield body[key]
        following = next((link["href"] for link in body.get(links, ()) if link["rel"] == "next"), None)
        if following is None:
            return
        last, marker = marker, {"marker": parse_qs(urlsplit(following).query).get("marker", [""])[0]}
        if not marker["marker"] or marker == last:
            raise CloudUnavailable(f"Nova's list {path} does not end: its next page is {following}")
