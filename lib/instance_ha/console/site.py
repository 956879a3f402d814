"""All addresses below ``/console``: who may see what, and what goes with each answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from flask import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from instance_ha import log
from instance_ha.console import login
from instance_ha.console import session as sessions
from instance_ha.console.buttons import BUTTONS, NOTICES, press
from instance_ha.console.login import HOME, LOGIN, LOGOUT, go_to, go_to_login
from instance_ha.console.pages import PAGES
from instance_ha.console.render import STATIC, Templates
from instance_ha.console.session import Session
from instance_ha.console.visit import READS, Arrival, Page, Visit
from instance_ha.models.errors import CloudUnavailable, MethodNotAllowed, NotFound, Refused, TryAgain, Unauthorized
from instance_ha.world import ConsoleWorld

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}  # its address has a hash of it
_LIVE = "X-Console-Live"  # a header of the script that refreshes a part of a page: nobody has clicked


@dataclass(frozen=True)
class _Route:
    """What answers an address."""

    methods: tuple[str, ...]
    answer: Callable[[Arrival], Response]


class Site:
    """The console."""

    def __init__(self) -> None:
        self._templates = Templates()
        routes = {
            "/console": _Route(READS, lambda _: go_to(HOME)),
            "/console/static/<name>": _Route(READS, self._static),
            LOGIN: _Route((*READS, "POST"), partial(login.answer, self._templates)),
            LOGOUT: _Route(("POST",), login.log_out),
            **{
                f"/console{page.path}": _Route(READS, partial(self._visited, partial(self._page, page)))
                for page in PAGES
            },
            **{
                f"/console{button.path}": _Route(("POST",), partial(self._visited, partial(press, button)))
                for button in BUTTONS
            },
        }
        self._urls = Map([Rule(path, endpoint=route) for path, route in routes.items()], merge_slashes=False)

    def admit(self, request: Request, world: ConsoleWorld, request_id: str) -> Response:
        """Check the head of a request whose body has not arrived yet: 100 when it shall come, or an answer."""
        arrival = Arrival(world=world.for_invocation(), request=request, path={}, request_id=request_id)

        def check() -> Response:
            self._match(request)
            is_let_in = arrival.reads or request.path == LOGIN or arrival.session is not None
            return Response(status=HTTPStatus.CONTINUE) if is_let_in else go_to_login()

        return self._guarded(None, check)

    def answer(self, request: Request, world: ConsoleWorld, request_id: str) -> Response:
        """Answer a request; what is refused, or not available now, is a page that says so."""

        def answer() -> Response:
            route, path = self._match(request)
            return route.answer(
                Arrival(world=world.for_invocation(), request=request, path=path, request_id=request_id)
            )

        return self._guarded(None, answer)

    def fault(self, code: int, text: str) -> Response:
        """Say that something of ours went wrong."""
        return _with_headers(self._trouble(None, code, text))

    def _match(self, request: Request) -> tuple[_Route, Mapping[str, str]]:
        try:
            route, path = self._urls.bind("").match(request.path)
        except HTTPException:
            raise NotFound("There is no such page.") from None
        if any("\0" in value for value in path.values()):  # Postgres cannot hold a NUL
            raise NotFound("There is no such page.")
        if request.method not in route.methods:
            raise MethodNotAllowed(request.method, *route.methods)
        return route, path

    def _guarded(self, session: Session | None, answer: Callable[[], Response]) -> Response:
        try:
            response = answer()
        except Refused as error:
            log.get().warning("request refused", code=error.code, reason=str(error))
            response = self._trouble(session, error.code, str(error))
            if isinstance(error, MethodNotAllowed):
                response.headers["Allow"] = ", ".join(sorted(error.allowed))
        except TryAgain as error:
            log.get().warning("request not served", reason=str(error))
            hidden = isinstance(error, CloudUnavailable)  # it has addresses
            text = "Keystone or Nova is not available now" if hidden else str(error)
            response = self._trouble(session, 503, f"{text}. Try again.")
        return _with_headers(response)

    def _trouble(self, session: Session | None, code: int, text: str) -> Response:
        title = HTTPStatus(code).phrase
        return Response(self._templates.page("trouble.html", title=title, text=text, session=session), code)

    def _static(self, arrival: Arrival) -> Response:
        name = arrival.path["name"]
        if name not in STATIC:
            raise NotFound("There is no such file.")
        return Response(self._templates.static[name], headers=_FOR_EVER, content_type=STATIC[name])

    def _visited(self, answer: Callable[[Visit], Response], arrival: Arrival) -> Response:
        """Let those pass who have logged in; their token is checked each time, as the API does."""
        world, request, session = arrival.world, arrival.request, arrival.session
        here = request.full_path.rstrip("?") if arrival.reads else HOME
        if session is None:
            return go_to_login(here)
        try:
            caller = world.tokens.check({**request.environ, "HTTP_X_AUTH_TOKEN": session.token})
        except Unauthorized:
            response = go_to_login(here)
            sessions.forget(response, world.settings)
            return response
        visit = Visit(world=world, request=request, path=arrival.path, request_id=arrival.request_id, caller=caller)
        response = self._guarded(session, partial(answer, visit))
        if _LIVE not in request.headers:
            sessions.keep(response, session.used(visit.now), world.settings)
        return response

    def _page(self, page: Page, visit: Visit) -> Response:
        for rule in page.rules:
            visit.world.policy.check(visit.caller, rule)
        values = page.show(visit) | {
            "session": visit.session,
            "now": visit.now,
            "here": visit.request.full_path.rstrip("?"),
            "may": visit.may,
            "query": visit.query,
            "notice": NOTICES.get(visit.query.get("done", "")),
            "interval": visit.world.settings.console_refresh_interval,
        }
        whole = _LIVE not in visit.request.headers
        return Response(self._templates.page(page.template, whole=whole, **values))


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
