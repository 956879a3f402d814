"""A proxy that writes down what clients send, and what is answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import requests
from instance_ha_simulator.cloud.server import LoopbackServer
from werkzeug.wrappers import Request, Response

_OF_ONE_HOP = {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Exchange:
    """One request, and the status of its answer."""

    method: str
    path: str
    query: dict[str, list[str]]
    version: str | None  # the header OpenStack-API-Version
    body: Any
    status: int

    @property
    def asked(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


class Recorder:
    """Stands between the clients and the API; it passes on all that it gets."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.exchanges: list[Exchange] = []
        self._server = LoopbackServer(self._serve, threads=8)
        self.url = self._server.url
        self.start, self.stop = self._server.start, self._server.stop

    @property
    def asked(self) -> list[str]:
        """Method and path of each request."""
        return [exchange.asked for exchange in self.exchanges]

    def queries(self, path: str) -> list[dict[str, list[str]]]:
        """Return the query of each GET of a path."""
        return [exchange.query for exchange in self.exchanges if exchange.asked == f"GET {path}"]

    def bodies(self, method: str) -> list[Any]:
        """Return the body of each request with this method."""
        return [exchange.body for exchange in self.exchanges if exchange.method == method]

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        headers = [(key, value) for key, value in request.headers.items() if key.lower() not in _OF_ONE_HOP]
        answer = requests.request(
            request.method,
            f"{self._target}{request.full_path.rstrip('?')}",
            headers=dict(headers),
            data=request.get_data(),
            timeout=60,
            allow_redirects=False,
        )
        query = dict(request.args.lists())
        version = request.headers.get("OpenStack-API-Version")
        body = request.get_json(silent=True)
        self.exchanges.append(Exchange(request.method, request.path, query, version, body, answer.status_code))
        kept = [(key, value) for key, value in answer.headers.items() if key.lower() not in _OF_ONE_HOP]
        return Response(answer.content, answer.status_code, kept)(environ, start_response)
