"""The simulated cloud without a network: requests that go straight into the WSGI application."""

import sys
from collections.abc import Mapping
from http.client import responses
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Flask
from requests import ConnectionError as RequestsConnectionError
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import requote_uri

from instance_ha_simulator.cloud.faults import DroppedConnectionError

URL = "http://sim.test/"


class WsgiAdapter(BaseAdapter):
    """A transport adapter for requests: the caller's thread runs the application."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer a request."""
        sent = request.body.encode() if isinstance(request.body, str) else request.body or b""
        asked = environ(request.method or "GET", request.url or "", request.headers, sent)
        begun: list[Any] = []
        try:
            body = b"".join(self._app(asked, lambda *head: begun.extend(head)))  # type: ignore[arg-type]
        except DroppedConnectionError as error:
            raise RequestsConnectionError(error, request=request) from error
        status, headers, *_ = begun
        response = Response()
        response.status_code = int(status[:3])
        response.reason = responses.get(response.status_code, "")
        response.headers = CaseInsensitiveDict(headers)
        response._content = body
        response.url, response.request = request.url or "", request
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing is open."""


class DirectSession:
    """What keystoneauth needs of a session of requests, without what only a network needs.

    To prepare a request as requests does, with cookies, proxies and hooks, takes as long as to answer it.
    """

    def __init__(self, adapter: WsgiAdapter) -> None:
        self._adapter = adapter

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        data: str | bytes | None = None,
        timeout: float | None = None,
        verify: bool = True,
        allow_redirects: bool = False,
    ) -> Response:
        """Send a request."""
        request = PreparedRequest()
        request.method, request.url, request.body = method, requote_uri(url), data
        request.headers = CaseInsensitiveDict(headers)
        return self._adapter.send(request, timeout=timeout)


def environ(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Say what is asked in the words of WSGI."""
    parts = urlsplit(url)
    return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()} | {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": parts.netloc,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def session(app: Flask, url: str = URL) -> Session:
    """Return a session whose requests to `url` go into the application."""
    made = Session()
    made.trust_env = False
    made.mount(url, WsgiAdapter(app))
    return made
