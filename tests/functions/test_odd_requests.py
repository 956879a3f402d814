"""NUL, lone surrogates and the like, in every place of a request: the answer is never a 5xx, nor none."""

import http.client
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import urlsplit

from tests.functions.conftest import Installation

QUOTED = (
    "%00",
    "a%00b",
    "%ff",
    "%ed%a0%80",
    "%F0%9F%98%80",
    "%0d%0a",
    "%2e%2e%2f",
    "%25",
    "%",
    "9" * 30,
    "-1",
    "%27%3b--",
)
RAW = (
    "",
    " ",
    "\xff",
    "a\tb",
    "x" * 3000,
    ",,,",
    ";;;",
    '"',
    "*/*;q=nan",
    "a/b; charset=\xff",
    "[::1",
    "a b",
    "9" * 5000,
)
HEADERS = (
    "Host",
    "Accept",
    "Content-Type",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Prefix",
    "OpenStack-API-Version",
    "X-OpenStack-Request-ID",
    "X-Auth-Token",
    "X-Service-Token",
    "X-Roles",
    "Range",
    "Cookie",
)
BODIES = (
    b"null",
    b"\xef\xbb\xbf{}",
    b'{"segment": null}',
    b'{"segment": {"\\ud800": 1}}',
    b'{"\\u0000": {}}',
    b'{"segment": {"name": 1e999}}',
    b'{"notification": {"type": "\\ud800", "payload": {}}}',
    b'{"notification": {"type": ["VM"], "payload": {}}}',
    b'{"notification": {"type": "VM", "hostname": "\\u0000", "payload": {"event": "\\ud800"}}}',
    b'{"purge": {"age_in_days": 99999999999999999999, "max_rows": -5}}',
    b'{"purge": {"age_in_days": 2147483648, "max_rows": 9223372036854775808, "dry_run": true}}',
)
LISTS = {
    "/v1/segments": ("recovery_method", "service_type", "enabled"),
    "/v1/segments/{segment}/hosts": ("type", "name", "control_attributes", "on_maintenance", "reserved"),
    "/v1/notifications": ("status", "type", "source_host_uuid", "generated-since"),
    "/v1/notifications/{notification}/vmoves": ("status", "type"),
}

Sent = tuple[str, str, dict[str, str], bytes]


def send(installation: Installation, sent: Sent) -> int:
    """Send a request as it is, without the help of a client that would mend it."""
    method, path, headers, body = sent
    url = urlsplit(installation.url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=20)
    known = {"Host": url.netloc, "X-Auth-Token": installation.token(), "Content-Type": "application/json"}
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in (known | {"Content-Length": str(len(body))} | headers).items():
        connection.putheader(name, value.encode("latin-1"))
    connection.endheaders(body)
    code = connection.getresponse().status
    connection.close()
    return code


def requests(there: dict[str, str]) -> Iterator[Sent]:
    """Every odd thing in every place."""
    for odd in QUOTED:
        for path in (f"/{odd}", f"/v1/{odd}", f"/v1/{odd}/segments", f"/v1/extensions/{odd}", f"/v1/versions/{odd}"):
            yield "GET", path, {}, b""
        for path in (f"/v1/segments/{odd}/hosts", f"/v1/notifications/{odd}/vmoves"):
            yield "GET", path, {}, b""
        for path, filters in LISTS.items():
            yield from _of_a_list(path.format(**there), filters, odd)
    for value, name, path in product(RAW, HEADERS, ("/v1/segments", "/")):
        yield "GET", path, {name: value}, b""
    for body, path in product(BODIES, ("/v1/segments", "/v1/notifications", "/v1/x-instance-ha/purge")):
        yield "POST", path, {}, body
        yield "PUT", f"/v1/segments/{there['segment']}", {}, body


def _of_a_list(path: str, filters: tuple[str, ...], odd: str) -> Iterator[Sent]:
    for name in (*filters, "limit", "marker", "sort_key", "sort_dir", "page_size", odd):
        yield "GET", f"{path}?{name}={odd}", {}, b""
    yield "GET", f"{path}/{odd}", {}, b""
    yield "DELETE", f"{path}/{odd}", {}, b""


def test_nothing_odd_in_a_request_is_a_defect_of_ours(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    there = {"segment": segment["uuid"], "notification": installation.notification(host)["notification_uuid"]}
    codes = {str(sent)[:200]: send(installation, sent) for sent in requests(there)}
    assert len(codes) > 500
    assert {sent: code for sent, code in codes.items() if code >= 500} == {}
