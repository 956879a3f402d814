"""The kinds of functions: API, console, event and cron."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from flask import Request, Response

from instance_ha import log, startup
from instance_ha.api.operation import Route
from instance_ha.api.web import Api, read_request
from instance_ha.composition import Composition
from instance_ha.models.errors import MethodNotAllowed, Refused, Unauthorized
from instance_ha.models.metrics import TICKS, TRIGGERS_REFUSED
from instance_ha.models.triggers import Kind
from instance_ha.serving import bearer, dead_letters
from instance_ha.serving.function import Function, Handler, W
from instance_ha.startup import Check
from instance_ha.triggers import signature
from instance_ha.triggers.codec import decode
from instance_ha.world import ConsoleWorld, PurgeWorld, RecoveryWorld, World


def api_function(name: str, routes: Sequence[Route], *, events: bool = False) -> Function[Any]:
    """Make a function that answers routes of the REST API; ``events``: it sends some to our other functions."""
    checks = (startup.check_triggers,) if events else ()
    api = Api(routes)
    return Function(name, api.admit, api.answer, Composition.api, (*checks, startup.check_policy))


def console_function(
    name: str,
    admit: Handler[ConsoleWorld],
    answer: Handler[ConsoleWorld],
    fault: Callable[[int, str], Response],
) -> Function[ConsoleWorld]:
    """Make a function that shows pages to people, whose buttons do what the API does."""
    checks = (startup.check_console, startup.check_triggers, startup.check_policy)
    return Function(name, admit, answer, Composition.console, checks, fault=fault)


def event_function(
    name: str, handlers: Mapping[Kind, Callable[[RecoveryWorld, str], None]], *checks: Check
) -> Function[Any]:
    """Make a function that does the work its events ask for; ``checks`` refuse settings that it cannot work with."""

    def admit(request: Request, world: RecoveryWorld, _request_id: str) -> Response:
        if request.method != "POST":
            raise MethodNotAllowed(request.method, "POST")
        with _refusals_counted(world, name):
            signature.expect(request.headers)
        return _go_on()

    def answer(request: Request, world: RecoveryWorld, request_id: str) -> Response:
        admit(request, world, request_id)
        settings, opened = world.settings, world.for_invocation()
        now, max_age = opened.clock.now, settings.trigger_max_age
        with _refusals_counted(world, name):
            body = read_request(request, settings.max_request_body_size)
            event = decode(dict(request.headers), body, handlers, settings.trigger_keys, now, max_age)
        with log.bound(request_id=event.request_id):
            handlers[event.kind](opened, event.subject)
        return Response(status=204)

    return Function(name, admit, answer, Composition.recovery, (startup.check_triggers, *checks))


def cron_function(
    name: str,
    work: Callable[[W], object],
    compose: Callable[[Composition], W],
    *,
    events: bool = True,
    tick_at_start: bool = False,
) -> Function[Any]:
    """Make a function that is called on a schedule; what it is sent does not matter.

    Args:
        name: of the function.
        work: what a tick does.
        compose: makes the world that it needs.
        events: whether it sends some to our other functions.
        tick_at_start: whether a new instance ticks by itself, as soon as it is served.

    """
    checks = (startup.check_triggers,) if events else ()
    tick = _tick(name, work)
    return Function(name, _admit_tick, tick, compose, checks, cloud=False, tick_at_start=tick_at_start)


def monitor_function(
    name: str, work: Callable[[W], object], compose: Callable[[Composition], W], check: Check
) -> Function[Any]:
    """Make a function that is called on a schedule, and asks others than Postgres: the cloud, and the API."""
    return Function(name, _admit_tick, _tick(name, work), compose, (check,))


def purge_function(name: str, routes: Sequence[Route], work: Callable[[PurgeWorld], object]) -> Function[Any]:
    """Make a function that answers routes of the REST API, and is called on a schedule at ``/``."""
    api, tick = Api(routes), _tick(name, work)

    def admit(request: Request, world: PurgeWorld, request_id: str) -> Response:
        return (_admit_tick if request.path == "/" else api.admit)(request, world, request_id)

    def answer(request: Request, world: PurgeWorld, request_id: str) -> Response:
        return (tick if request.path == "/" else api.answer)(request, world, request_id)

    return Function(name, admit, answer, Composition.purge, (startup.check_policy,))


def _tick(name: str, work: Callable[[W], object]) -> Handler[W]:
    def answer(request: Request, world: W, request_id: str) -> Response:
        _admit_tick(request, world, request_id)
        if request.path == dead_letters.PATH:
            return dead_letters.take(request, read_request(request, world.settings.max_request_body_size), world)
        work(world)
        world.metrics.count(TICKS, function=name)
        return Response(status=204)

    return answer


def _admit_tick(request: Request, world: World, _request_id: str) -> Response:
    if request.method != "POST":
        raise MethodNotAllowed(request.method, "POST")
    if request.path == dead_letters.PATH:
        signature.expect(request.headers)
    elif world.settings.cron_tokens and not bearer.is_known(request, world.settings.cron_tokens):
        raise Unauthorized("a tick needs the bearer token of the scheduler")
    return _go_on()


@contextmanager
def _refusals_counted(world: World, name: str) -> Iterator[None]:
    try:
        yield
    except Refused:
        world.metrics.count(TRIGGERS_REFUSED, function=name)
        raise


def _go_on() -> Response:
    return Response(status=HTTPStatus.CONTINUE)
