"""The web layer that the three api functions share: routes, checks in their order, answers and faults.

The order of checks is that of Masakari, but for policy: a caller that may not do a thing
hears so before its body is read. All checks but those of the body need the head of a request only.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Request, Response
from pydantic import BaseModel
from werkzeug.exceptions import MethodNotAllowed as NoSuchMethod
from werkzeug.exceptions import NotFound as NoSuchRoute
from werkzeug.routing import Map, RequestRedirect, Rule

from instance_ha.api import faults, microversion
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Query, Version, read_body, read_query
from instance_ha.models.errors import (
    BadMediaType,
    BadRequest,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Refused,
    TooLarge,
    Unauthorized,
)
from instance_ha.models.rows import Caller
from instance_ha.world import ApiWorld

_JSON, _VENDOR_JSON = "application/json", "application/vnd.openstack.masakari+json"
_JSON_TYPES = frozenset({"", _JSON, _VENDOR_JSON, "text/plain"})
_DEEPEST = 32  # levels of lists and objects in a body; what the API takes has a handful
_WITH_BODY = frozenset({"POST", "PUT"})


class Api:
    """Routes of one function."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [*routes, *(Route(path, {}) for route in routes for path in _forms(route))]
        rules = []
        for index, route in enumerate(self._routes):
            paths = [route.path] if route.public else [f"/v1{route.path}", f"/v1/<project_id>{route.path}"]
            rules += [Rule(path, endpoint=index, methods=None) for path in paths]
        self._urls = Map(rules, strict_slashes=True, merge_slashes=False)

    def admit(self, request: Request, world: ApiWorld, _request_id: str) -> Response:
        """Check the head of a request whose body has not arrived yet: 100 when it shall come, or a fault.

        Raises:
            TryAgain: Keystone is away.

        """
        return self._guarded(request, world, lambda _: Response(status=HTTPStatus.CONTINUE))

    def answer(self, request: Request, world: ApiWorld, request_id: str) -> Response:
        """Answer a request; every error becomes a fault.

        Raises:
            TryAgain: Postgres, Keystone or Nova is away.

        """
        return self._guarded(request, world, partial(self._reply, request, world, request_id))

    def _guarded(self, request: Request, world: ApiWorld, reply: Callable[["_Asked"], Response]) -> Response:
        version: Version | None = None
        try:
            _check_length(request, world.settings.max_request_body_size)
            route, path = self._match(request, world)
            caller = None if route.public else world.tokens.check(request.environ)
            if caller is not None:
                version = microversion.negotiate(request.headers.get(microversion.HEADER))
            operation = _allowed(request, world, route, path, caller)
            response = reply(_Asked(operation, path, version or microversion.LOWEST, caller))
        except Refused as error:
            response = faults.of(error)
            if isinstance(error, Unauthorized):
                uri = world.settings.www_authenticate_uri
                response.headers["WWW-Authenticate"] = f'Keystone uri="{uri}"' if uri else "Keystone"
            if isinstance(error, NotAcceptable):
                response.headers["Vary"] = microversion.HEADER
        if version is not None:
            microversion.mark(response, version)
        return response

    def _match(self, request: Request, world: ApiWorld) -> tuple[Route, dict[str, str]]:
        """Find the route; below /v1 an unknown path is told only to those with a token."""
        path = re.sub(r"^(/v1/.*)\.(json|xml)$", r"\1", request.path)
        try:
            endpoint, values = self._urls.bind("").match(path, method=request.method)
            if values.get("anything", "").startswith("v1/") or "\0" in path:  # Postgres cannot hold a NUL
                raise NoSuchRoute
        except (NoSuchRoute, NoSuchMethod, RequestRedirect):
            if path.startswith("/v1/"):
                world.tokens.check(request.environ)
            raise NotFound("The resource could not be found.") from None
        if "project_id" in values and not re.fullmatch(r"[0-9a-f-]+", values["project_id"]):
            raise NotFound("The resource could not be found.")
        return self._routes[endpoint], dict(values)

    def _reply(self, request: Request, world: ApiWorld, request_id: str, asked: "_Asked") -> Response:
        body = read_request(request, world.settings.max_request_body_size)
        call = Call(
            world=world if asked.caller is None else world.for_invocation(),  # the documents need no Postgres
            caller=asked.caller,
            version=asked.version,
            path=asked.path,
            base_url=_base_url(request, world),
            request_id=request_id,
        )
        answer = asked.operation.handler(call, _read(asked.operation, request, body, asked.version))
        return _encode(answer, asked.operation.status, request)


@dataclass(frozen=True)
class _Asked:
    """A request whose head was checked: its caller may do what it asks for."""

    operation: Operation[Any]
    path: dict[str, str]
    version: Version
    caller: Caller | None  # None: the document is for everybody


def _allowed(
    request: Request, world: ApiWorld, route: Route, path: dict[str, str], caller: Caller | None
) -> Operation[Any]:
    """Return what a request asks for, if its caller may have that done."""
    if request.method in _WITH_BODY and request.mimetype not in _JSON_TYPES:
        raise BadMediaType(f"unsupported Content-Type {request.mimetype}: send application/json")
    operation = route.methods.get(request.method)
    if operation is None:
        raise MethodNotAllowed(request.method, *route.methods)
    if caller is not None:
        _check_project(caller, path.get("project_id"))
        if operation.rule is not None:
            world.policy.check(caller, operation.rule)
    return operation


def _forms(route: Route) -> list[str]:
    """Name the paths of forms, which Masakari routes but never serves: 405, not 404."""
    if route.public:
        return []
    return [f"{route.path}/edit", f"{route.path}/action"] if route.path.endswith("_id>") else [f"{route.path}/new"]


def read_request(request: Request, limit: int) -> bytes:
    """Read a request's body, whether its length was told before or not.

    Raises:
        TooLarge: it is larger than ``limit`` bytes.
        BadRequest: it was cut off, or its chunks make no sense.

    """
    _check_length(request, limit)
    try:
        body: bytes = request.stream.read(limit + 1)
    except Exception:  # each server has errors of its own for a client that goes away, or sends chunks that are none
        raise BadRequest("the request body is cut off or badly chunked") from None
    if len(body) > limit:
        raise TooLarge(f"the request body is larger than {limit} bytes")
    if len(body) < (request.content_length or 0):
        raise BadRequest("the request body is cut off or badly chunked")
    return body


def _check_length(request: Request, limit: int) -> None:
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the request body is larger than {limit} bytes")


def _check_project(caller: Caller, project_id: str | None) -> None:
    if project_id is not None and project_id != caller.project_id:
        raise BadRequest(f"the project {project_id} of the URL is not the project of the token")


def _read(operation: Operation[Any], request: Request, body: bytes, version: Version) -> BaseModel:
    model: type[BaseModel] = operation.asks
    if issubclass(model, Query):
        return read_query(model, dict(request.args.lists()))
    return read_body(model, _parse(body), version)


def _parse(body: bytes) -> Any:
    try:
        parsed = json.loads(body.decode("utf-8"), parse_constant=_refuse) if body else None
    except ValueError:
        raise BadRequest("the request body is not well-formed JSON in UTF-8") from None
    except RecursionError:
        raise BadRequest("the request body is nested too deeply") from None
    if _depth(parsed) > _DEEPEST:
        raise BadRequest(f"the request body is nested more than {_DEEPEST} levels deep")
    return parsed


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")  # Python's reader would take NaN and Infinity


def _depth(value: Any) -> int:
    """Count the levels of lists and objects, without recursion."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, (list, dict))]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _base_url(request: Request, world: ApiWorld) -> str:
    prefix = world.settings.osapi_masakari_link_prefix
    if prefix:
        return prefix.rstrip("/")
    host = request.headers.get("X-Forwarded-Host", request.host)
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    return f"{scheme}://{host}{request.headers.get('X-Forwarded-Prefix', '').rstrip('/')}"


def _encode(answer: BaseModel | None, status: int, request: Request) -> Response:
    text = "" if answer is None else answer.model_dump_json(by_alias=True, exclude_unset=True)
    wanted = request.accept_mimetypes.best_match([_JSON, _VENDOR_JSON], default=_JSON)
    return Response(text, status, content_type=wanted)
