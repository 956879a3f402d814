"""A function as its main.py declares it; health, request ids, logs and errors are alike in all.

It is served by functions-framework as an HTTP function: the framework's own CloudEvent signature answers no health
check, and tells the caller's headers in its errors.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import uuid4

from flask import Flask, Request, Response, current_app, has_app_context

from instance_ha import log
from instance_ha.api import faults
from instance_ha.composition import Composition
from instance_ha.models.errors import InstanceHAError, Refused, TryAgain
from instance_ha.models.metrics import INTERNAL_ERRORS
from instance_ha.serving import scrape
from instance_ha.startup import Check
from instance_ha.world import World

W = TypeVar("W", bound=World)
Handler = Callable[[Request, W, str], Response]

HEAD_ONLY = "instance_ha.head_only"  # in the environ of a request whose body has not arrived yet

_REQUEST_ID = "x-openstack-request-id"
_FUNCTION, _WORLD = "instance_ha.function", "instance_ha.world"


@dataclass(frozen=True)
class Function(Generic[W]):
    """What a main.py declares; its world stands in the application that serves it."""

    name: str
    admit: Handler[W]  # of a request whose head alone has arrived: 100 when its body shall come, or the answer
    answer: Handler[W]
    compose: Callable[[Composition], W]
    checks: tuple[Check, ...] = ()  # at the start; they raise Misconfigured
    cloud: bool = True  # whether it asks Nova or Keystone
    fault: Callable[[int, str], Response] = faults.fault  # says that something of ours went wrong
    tick_at_start: bool = False  # a new instance does not wait for its scheduler

    def __post_init__(self) -> None:
        if has_app_context():  # functions-framework runs main.py within the application that it makes of it
            current_app.extensions[_FUNCTION] = self

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        world: W = current_app.extensions[_WORLD]
        if request.path == scrape.PATH:
            return scrape.answer(request, world)
        if request.path.startswith("/_/"):
            return _health(request.path, world)
        request_id = f"req-{uuid4()}"
        asked_by = request.headers.get("X-OpenStack-Request-ID", "")
        caller_id = asked_by if re.fullmatch(r"req-[0-9a-f-]{36}", asked_by) else None
        with log.bound(function=self.name, request_id=request_id, global_request_id=caller_id):
            response = self._guarded(request, world, caller_id or request_id, request_id)
            _keep_counts(response, world)
            return response

    def _guarded(self, request: Request, world: W, work_id: str, request_id: str) -> Response:
        """Turn every error into an answer that says no more than it should."""
        try:
            handle = self.admit if HEAD_ONLY in request.environ else self.answer
            response = handle(request, world, work_id)
        except Refused as error:
            log.get().warning("request refused", code=error.code, reason=str(error))
            response = faults.of(error)
        except TryAgain as error:
            log.get().warning("request not served", reason=str(error))
            response = faults.unavailable(error)
        except InstanceHAError as error:
            log.get().error("request failed", reason=str(error))
            response = self.fault(500, f"It cannot be served; the reason is logged with the request id {request_id}.")
        except Exception:
            log.get().exception("request failed unexpectedly")
            text = f"An unexpected error happened; it is logged with the request id {request_id}."
            response = self.fault(500, text)
        if request.path.startswith("/v1"):
            response.headers[_REQUEST_ID] = request_id
        log.get().debug("request answered", method=request.method, path=request.path, code=response.status_code)
        return response


def declared(application: Flask) -> Function[Any] | None:
    """Return what the main.py of an application has declared."""
    function: Function[Any] | None = application.extensions.get(_FUNCTION)
    return function


def give_world(application: Flask, world: World) -> None:
    """Let the functions of an application work in this world."""
    application.extensions[_WORLD] = world


def world_of(application: Flask) -> World | None:
    """Return the world that the functions of an application work in, None for a function that is not ours."""
    world: World | None = application.extensions.get(_WORLD)
    return world


def _keep_counts(response: Response, world: World) -> None:
    """Add to Postgres what the invocation has counted; no invocation fails for it."""
    try:
        if response.status_code == 500:
            world.metrics.count(INTERNAL_ERRORS)
        world.metrics.flush(world.database)
    except Exception:
        log.get().exception("metrics dropped")


def _health(path: str, world: World) -> Response:
    """Answer what the platform asks: an instance is alive when it answers, and ready when it reaches Postgres."""
    if path == "/_/health":
        return Response("OK", content_type="text/plain")
    if path != "/_/ready":
        return faults.fault(404, "The resource could not be found.")
    try:
        world.database.ping()
    except TryAgain as error:
        return faults.fault(503, str(error))
    return Response("READY", content_type="text/plain")
