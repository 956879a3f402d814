"""The gateway: one address for the public API, and OpenFaaS' paths to every function.

``/function/NAME`` calls a function, ``/async-function/NAME`` takes an event and answers 202, every other path is the
public API and goes, whole, to the function whose route in stack.yml matches.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.events import Queue
from local.hosting import Backend, Call
from local.stack import Function, routed

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
)
_MOST = 1 << 20  # a larger body is not even passed on


class Gateway:
    """A WSGI application."""

    def __init__(self, functions: tuple[Function, ...], backend: Backend, queue: Queue) -> None:
        self._functions = functions
        self._names = {function.name for function in functions}
        self._backend = backend
        self._queue = queue

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        response = self._answer(Request(environ))
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/healthz":
            return Response("OK")
        if (request.content_length or 0) > _MOST:
            return _fault(413, "overLimit", "the request body is too large")
        for prefix, serve in (("/function/", self._call), ("/async-function/", self._enqueue)):
            if request.path.startswith(prefix):
                name, _, rest = request.path[len(prefix) :].partition("/")
                if name not in self._names:
                    return _fault(404, "itemNotFound", f"there is no function {name}")
                return serve(name, _call(request, f"/{rest}"), request)
        owner = None if request.path.startswith("/_/") else routed(self._functions, request.path)
        if owner is None:
            return _fault(404, "itemNotFound", "The resource could not be found.")
        return self._call(owner, _call(request, request.path), request)

    def _call(self, name: str, call: Call, _request: Request) -> Response:
        answer = self._backend.call(name, call)
        kept = [(key, value) for key, value in answer.headers if key.lower() not in _HOP_BY_HOP]
        return Response(answer.body, answer.code, kept)

    def _enqueue(self, name: str, call: Call, request: Request) -> Response:
        if request.method != "POST":
            return _fault(405, "badMethod", "events are posted")
        self._queue.put(name, call)
        return Response(status=202, headers={"X-Call-Id": str(uuid4())})


def _call(request: Request, path: str) -> Call:
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP | {"host"}}
    headers["Host"] = request.host
    headers.setdefault("X-Forwarded-Host", request.host)
    headers.setdefault("X-Forwarded-Proto", request.scheme)
    return Call(request.method, path + query, headers, request.get_data())


def _fault(code: int, name: str, message: str) -> Response:
    body = json.dumps({name: {"code": code, "message": message}})
    return Response(body, code, content_type="application/json")
