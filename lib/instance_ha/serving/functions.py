"""The kinds of functions: API, event and cron. Health, request ids, logs and errors are alike in all.

A function is served by functions-framework as an HTTP function: its own CloudEvent signature answers no health
check, and tells the caller's headers in its errors.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from flask import Request, Response, current_app, has_app_context

from instance_ha import composition, log, masking
from instance_ha.api import faults
from instance_ha.api.operation import Route
from instance_ha.api.web import Api, read_request
from instance_ha.models.errors import InstanceHAError, Misconfigured, Refused, TryAgain, Unauthorized
from instance_ha.models.metrics import INTERNAL_ERRORS, TICKS, TRIGGERS_REFUSED
from instance_ha.models.triggers import Kind
from instance_ha.serving import bearer, dead_letters, scrape
from instance_ha.settings import Settings
from instance_ha.triggers.codec import decode
from instance_ha.world import World

Handler = Callable[[Request], Response]
Answer = Callable[[Request, World, str], Response]
Check = Callable[[Settings], None]

_RETRY_AFTER = "5"
_REQUEST_ID = "x-openstack-request-id"


def api_function(name: str, routes: Sequence[Route], *, events: bool = False) -> Handler:
    """Make a function that answers routes of the REST API; ``events``: it publishes some."""
    return _function(name, Api(routes).answer, composition.check_policy, cloud=True, events=events)


def event_function(name: str, handlers: Mapping[Kind, Callable[[World, str], None]], check: Check) -> Handler:
    """Make a function that does the work its events ask for; ``check`` refuses settings that it cannot work with."""

    def answer(request: Request, world: World, _request_id: str) -> Response:
        if request.method != "POST":
            return faults.fault(405, "events are posted")
        settings, now = world.settings, world.clock.now()
        try:
            body = read_request(request, settings.max_request_body_size)
            event = decode(dict(request.headers), body, handlers, settings.trigger_keys, now, settings.trigger_max_age)
        except Refused:
            world.metrics.count(TRIGGERS_REFUSED, function=name)
            raise
        with log.bound(request_id=event.request_id):
            handlers[event.kind](world.for_invocation(), event.subject)
        return Response(status=204)

    return _function(name, answer, check, cloud=True, events=True)


def cron_function(name: str, work: Callable[[World], object], *, events: bool = True) -> Handler:
    """Make a function that is called on a schedule; what it is sent does not matter. ``events``: it publishes some."""
    return _function(name, _tick(name, work), lambda _: None, cloud=False, events=events)


def monitor_function(name: str, work: Callable[[World], object], check: Check) -> Handler:
    """Make a function that is called on a schedule, and reports what it finds as any other client of the API."""
    return _function(name, _tick(name, work), check, cloud=True, events=False)


def api_and_cron_function(name: str, routes: Sequence[Route], work: Callable[[World], object]) -> Handler:
    """Make a function that answers routes of the REST API, and is called on a schedule at ``/``."""
    api, tick = Api(routes), _tick(name, work)

    def answer(request: Request, world: World, request_id: str) -> Response:
        return tick(request, world, request_id) if request.path == "/" else api.answer(request, world, request_id)

    return _function(name, answer, composition.check_policy, cloud=True, events=False)


def _tick(name: str, work: Callable[[World], object]) -> Answer:
    def answer(request: Request, world: World, _request_id: str) -> Response:
        if request.method != "POST":
            return faults.fault(405, "a tick is posted")
        if request.path == dead_letters.PATH:
            return dead_letters.take(request, read_request(request, world.settings.max_request_body_size), world)
        if world.settings.cron_tokens and not bearer.is_known(request, world.settings.cron_tokens):
            raise Unauthorized("a tick needs the bearer token of the scheduler")
        work(world)
        world.metrics.count(TICKS, function=name)
        return Response(status=204)

    return answer


def _function(name: str, answer: Answer, check: Check, *, cloud: bool, events: bool) -> Handler:
    try:
        settings = composition.load_settings()
        composition.check(settings, os.environ, cloud=cloud, events=events)
        check(settings)
    except Misconfigured as error:
        sys.exit(f"{name}: {error}")
    log.configure(settings.log_level)
    masking.hide(*settings.secrets)
    if has_app_context():  # a path with a line break fits no route of functions-framework, and never comes to us
        current_app.register_error_handler(404, lambda _: faults.fault(404, "The resource could not be found."))

    def handle(request: Request) -> Response:
        if request.path == scrape.PATH:
            return scrape.answer(request, settings, composition.world)
        if request.path.startswith("/_/"):
            return _health(request.path)
        request_id = f"req-{uuid4()}"
        asked_by = request.headers.get("X-OpenStack-Request-ID", "")
        caller_id = asked_by if re.fullmatch(r"req-[0-9a-f-]{36}", asked_by) else None
        with log.bound(function=name, request_id=request_id, global_request_id=caller_id):
            response = _guarded(answer, request, caller_id or request_id, request_id)
            _keep_counts(response)
            return response

    return handle


def _guarded(answer: Answer, request: Request, work_id: str, request_id: str) -> Response:
    """Turn every error into an answer that says no more than it should."""
    try:
        response = answer(request, composition.world(), work_id)
    except Refused as error:
        log.get().warning("refused", code=error.code, reason=str(error))
        response = faults.of(error)
    except TryAgain as error:
        log.get().warning("cannot serve now", reason=str(error))
        response = faults.fault(503, masking.masked(str(error)))
        response.headers["Retry-After"] = _RETRY_AFTER
    except InstanceHAError as error:
        log.get().error("cannot serve", reason=str(error))
        response = faults.fault(500, masking.masked(str(error)))
    except Exception:
        log.get().exception("unexpected error")
        response = faults.fault(500, f"An unexpected error happened; it is logged with the request id {request_id}.")
    if request.path.startswith("/v1"):
        response.headers[_REQUEST_ID] = request_id
    log.get().debug("answered", method=request.method, path=request.path, code=response.status_code)
    return response


def _keep_counts(response: Response) -> None:
    """Add to Postgres what the invocation has counted; no invocation fails for it."""
    try:
        world = composition.world()
        if response.status_code == 500:
            world.metrics.count(INTERNAL_ERRORS)
        world.metrics.flush(world.database, world.clock.now())
    except Exception:
        log.get().exception("counts are lost")


def _health(path: str) -> Response:
    """Alive is who answers; ready is who reaches Postgres."""
    if path == "/_/health":
        return Response("OK", content_type="text/plain")
    if path != "/_/ready":
        return faults.fault(404, "The resource could not be found.")
    try:
        composition.world().database.ping()
    except TryAgain as error:
        return faults.fault(503, str(error))
    return Response("READY", content_type="text/plain")
