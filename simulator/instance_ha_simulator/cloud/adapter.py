"""The simulated cloud without a network: requests that go straight into the WSGI application."""

from collections.abc import Mapping
from http.client import responses
from io import BytesIO
from urllib.parse import urlsplit

from flask import Flask
from requests import ConnectionError as RequestsConnectionError
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

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
        parts = urlsplit(request.url or "")
        try:
            answer = self._app.test_client(use_cookies=False).open(
                parts.path or "/",
                base_url=f"{parts.scheme}://{parts.netloc}",
                query_string=parts.query,
                method=request.method,
                headers=list(request.headers.items()),
                data=request.body,
            )
        except DroppedConnectionError as error:
            raise RequestsConnectionError(error, request=request) from error
        response = Response()
        response.status_code = answer.status_code
        response.reason = responses.get(answer.status_code, "")
        response.headers = CaseInsensitiveDict(answer.headers.items())
        response.raw = BytesIO(answer.get_data())
        response.url, response.request = request.url or "", request
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing is open."""


def session(app: Flask, url: str = URL) -> Session:
    """Return a session whose requests to `url` go into the application."""
    made = Session()
    made.trust_env = False
    made.mount(url, WsgiAdapter(app))
    return made
