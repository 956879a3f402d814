"""The gateway: one address for the public API, and OpenFaaS' paths to every function.

``/function/NAME`` calls a function, ``/async-function/NAME`` takes an event and answers 202, every other path is the
public API and goes, whole, to the function whose route in stack.yml matches.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.events import Queue
from local.hosting import Backend, Call
from stack import Function, routed

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_LENGTH = frozenset({"content-length"})
_MOST = 1 << 20  # a larger body is not even passed on
_UNQUOTED = "/:@!$&'()*+,;=~"


def _fault(code: int, name: str, message: str) -> Response:
    body = json.dumps({name: {"code": code, "message": message}})
    return Response(body, code, content_type="application/json")


NOT_READY = _fault(503, "serviceUnavailable", "it is being started or stopped")


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
                return serve(name, _call(request, f"/{rest}"))
        owner = None if request.path.startswith("/_/") else routed(self._functions, request.path)
        if owner is None:
            return _fault(404, "itemNotFound", "The resource could not be found.")
        return self._call(owner, _call(request, request.path))

    def _call(self, name: str, call: Call) -> Response:
        answer = self._backend.call(name, call)
        # Of an answer to HEAD the length is all there is of the body; in others the body tells it.
        dropped = _dropped(dict(answer.headers)) | (frozenset() if call.method == "HEAD" else _LENGTH)
        kept = [(key, value) for key, value in answer.headers if key.lower() not in dropped]
        response = Response(answer.body, answer.code)
        response.headers.clear()
        response.headers.extend(kept)
        response.automatically_set_content_length = call.method != "HEAD"
        return response

    def _enqueue(self, name: str, call: Call) -> Response:
        if call.method != "POST":
            return _fault(405, "badMethod", "events are posted")
        call_id = str(uuid4())
        self._queue.put(name, replace(call, headers={**call.headers, "X-Call-Id": call_id}))
        return Response(status=202, headers={"X-Call-Id": call_id})


def _call(request: Request, path: str) -> Call:
    """Make the call to the function: the same request, of another hop."""
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    dropped = _dropped(dict(request.headers)) | _LENGTH
    headers = {key: value for key, value in request.headers.items() if key.lower() not in dropped}
    headers.setdefault("X-Forwarded-Host", request.host)
    headers.setdefault("X-Forwarded-Proto", request.scheme)
    if request.remote_addr:
        before = [headers["X-Forwarded-For"]] if "X-Forwarded-For" in headers else []
        headers["X-Forwarded-For"] = ", ".join([*before, request.remote_addr])
    return Call(request.method, quote(path, safe=_UNQUOTED) + query, headers, request.get_data())


def _dropped(headers: Mapping[str, str]) -> frozenset[str]:
    """Name the headers that are only for one hop: the standard ones, and those that Connection names."""
    named = next((value for key, value in headers.items() if key.lower() == "connection"), "")
    return _HOP_BY_HOP | {name.strip().lower() for name in named.split(",")}
