"""The web layer that the three api functions share: routes, checks in their order, answers and faults.

The order of checks is that of the original (reference, section 1.4), but for policy: whoever may not do a thing
is told so before his body is looked at.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import MethodNotAllowed as NoSuchMethod
from werkzeug.exceptions import NotFound as NoSuchRoute
from werkzeug.routing import Map, RequestRedirect, Rule

from instance_ha.api import faults, microversion
from instance_ha.models.errors import (
    BadMediaType,
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    Refused,
    TooLarge,
    Unauthorized,
)
from instance_ha.models.rows import Caller
from instance_ha.world import World

_JSON_TYPES = frozenset({"", "application/json", "application/vnd.openstack.masakari+json", "text/plain"})
_ADMIN = "admin"


@dataclass(frozen=True)
class Call:
    """One request, checked as far as it can be without knowing what it asks for."""

    world: World
    caller: Caller | None
    version: tuple[int, int]
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: Any
    base_url: str
    request_id: str


@dataclass(frozen=True)
class Reply:
    """What a handler answers."""

    status: int
    body: Any = None


Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Route:
    """A path and its handlers by method; ``public`` ones need no token and have no microversion."""

    path: str
    methods: Mapping[str, Handler]
    public: bool = False


class Api:
    """Routes of one function."""

    def __init__(self, routes: Sequence[Route]) -> None:
        rules = []
        for index, route in enumerate(routes):
            paths = [route.path] if route.public else [f"/v1{route.path}", f"/v1/<project_id>{route.path}"]
            rules += [Rule(path, endpoint=index, methods=None) for path in paths]
        self._routes = routes
        self._urls = Map(rules, strict_slashes=True, merge_slashes=False)

    def answer(self, request: Request, world: World, request_id: str) -> Response:
        """Answer a request; every error becomes a fault.

        Raises:
            TryAgain: Postgres, Keystone or Nova is away.

        """
        version: tuple[int, int] | None = None
        try:
            body = read_body(request, world.settings.max_request_body_size)
            route, path = self._match(request, world)
            if not route.public:
                version = microversion.negotiate(request.headers.get(microversion.HEADER))
            reply = self._reply(request, body, world, request_id, route, path, version)
            response = _encode(reply)
        except Refused as error:
            response = faults.of(error)
            if isinstance(error, Unauthorized):
                response.headers["WWW-Authenticate"] = f'Keystone uri="{world.tokens.auth_uri}"'
            if isinstance(error, microversion.NotServed):
                response.headers["Vary"] = microversion.HEADER
        if version is not None:
            microversion.mark(response, version)
        return response

    def _match(self, request: Request, world: World) -> tuple[Route, dict[str, str]]:
        """Find the route; below /v1 an unknown path is told only to those with a token."""
        path = re.sub(r"\.(json|xml)$", "", request.path)
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

    def _reply(
        self,
        request: Request,
        body: bytes,
        world: World,
        request_id: str,
        route: Route,
        path: dict[str, str],
        version: tuple[int, int] | None,
    ) -> Reply:
        caller = None if route.public else world.tokens.check(request.environ)
        _check_type(request)
        handler = route.methods.get(request.method)
        if handler is None:
            raise MethodNotAllowed(f"The method {request.method} is not allowed for this resource.")
        if caller is not None:
            _check_caller(caller, path.get("project_id"))
        call = Call(
            world=world,
            caller=caller,
            version=version or (1, 0),
            path=path,
            query=dict(request.args.lists()),
            body=_parse(body) if request.method in {"POST", "PUT"} else None,
            base_url=_base_url(request, world),
            request_id=request_id,
        )
        return handler(call)


def read_body(request: Request, limit: int) -> bytes:
    """Read a request's body, whether its length was told before or not.

    Raises:
        TooLarge: it is larger than ``limit`` bytes.

    """
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the request body is larger than {limit} bytes")
    body: bytes = request.stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"the request body is larger than {limit} bytes")
    return body


def _check_type(request: Request) -> None:
    has_body = request.method in {"POST", "PUT"}
    if has_body and request.mimetype not in _JSON_TYPES:
        raise BadMediaType(f"unsupported Content-Type {request.mimetype}: send application/json")


def _check_caller(caller: Caller, project_id: str | None) -> None:
    if project_id is not None and project_id != caller.project_id:
        raise BadRequest(f"the project {project_id} of the URL is not the project of the token")
    if _ADMIN not in caller.roles:
        raise Forbidden("Policy doesn't allow this request to be performed: it needs the role admin.")


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8")) if body else None
    except ValueError:
        raise BadRequest("the request body is not well-formed JSON in UTF-8") from None
    except RecursionError:
        raise BadRequest("the request body is nested too deeply") from None


def _base_url(request: Request, world: World) -> str:
    prefix = world.settings.osapi_masakari_link_prefix
    if prefix:
        return prefix.rstrip("/")
    host = request.headers.get("X-Forwarded-Host", request.host)
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    return f"{scheme}://{host}{request.headers.get('X-Forwarded-Prefix', '').rstrip('/')}"


def _encode(reply: Reply) -> Response:
    text = "" if reply.body is None else json.dumps(reply.body)
    return Response(text, reply.status, content_type="application/json")
