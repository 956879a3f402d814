"""Login and log-out."""

import re
from urllib.parse import quote, unquote

from flask import Response

from instance_ha import log
from instance_ha.console import form as forms
from instance_ha.console import session as sessions
from instance_ha.console.form import Form
from instance_ha.console.render import Templates
from instance_ha.console.session import LOGIN_COOKIE, Session
from instance_ha.console.visit import Arrival
from instance_ha.models.errors import BadRequest, CloudUnavailable, Refused, TryAgain, Unauthorized
from instance_ha.models.logins import ApplicationCredential, Credentials, PasswordLogin

LOGIN, LOGOUT, HOME = "/console/login", "/console/logout", "/console/"
_OURS = re.compile(r"/console/[A-Za-z0-9_\-./?=&%]*")
_LONGEST = 255  # characters of a field


def go_to(address: str) -> Response:
    """Send a browser to another page, which it asks for by GET."""
    return Response("", 303, {"Location": address})


def go_to_login(after: str = HOME) -> Response:
    """Send a browser to the login, and from there to where it wanted to go."""
    return go_to(LOGIN if target(after) == HOME else f"{LOGIN}?next={quote(target(after), safe='/')}")


def target(text: str) -> str:
    """Return where to go on, if that is a page of ours; else the first page. So no link leads elsewhere by a login."""
    is_ours = _OURS.fullmatch(text) and "//" not in text and ".." not in unquote(text)  # browsers read %2e as a dot
    return text if is_ours and not text.startswith((LOGIN, LOGOUT)) else HOME


def answer(templates: Templates, arrival: Arrival) -> Response:
    """Show the forms, or take what was put into one."""
    return _show(templates, arrival) if arrival.reads else _log_in(templates, arrival)


def _show(templates: Templates, arrival: Arrival) -> Response:
    """Show the forms, or go on where somebody has logged in already."""
    after = target(arrival.request.args.get("next", ""))
    return _page(templates, arrival, after) if arrival.session is None else go_to(after)


def _log_in(templates: Templates, arrival: Arrival) -> Response:
    """Begin a session, or show the forms again with what is wrong, which never says what of a login was.

    Raises:
        Refused: the body is no form.

    """
    world, now = arrival.world, arrival.now
    form = forms.read(arrival.request, world.settings.max_request_body_size)
    after = target(form.get("next", ""))
    try:
        forms.check_key(form, sessions.read(arrival.request, world.settings, now, LOGIN_COOKIE))
        issued = world.logins.log_in(_credentials(form))
        response = go_to(after)
        sessions.keep(response, Session.of(issued, world.settings, now), world.settings)
    except (Refused, TryAgain) as error:
        log.get().warning("login refused", reason=str(error), address=arrival.request.remote_addr)
        return _page(templates, arrival, after, error)
    log.get().info("logged in", user=issued.user, project=issued.project)
    return response


def log_out(arrival: Arrival) -> Response:
    """End a session, and its token.

    Raises:
        Refused: the body is no form of the session.

    """
    form = forms.read(arrival.request, arrival.world.settings.max_request_body_size)
    if arrival.session is not None:
        forms.check_key(form, arrival.session)
        arrival.world.tokens.forget(arrival.session.token)
        arrival.world.logins.log_out(arrival.session.token)
    response = go_to(LOGIN)
    sessions.forget(response, arrival.world.settings)
    return response


def _page(templates: Templates, arrival: Arrival, after: str, error: Refused | TryAgain | None = None) -> Response:
    settings, now = arrival.world.settings, arrival.now
    known = sessions.read(arrival.request, settings, now, LOGIN_COOKIE)
    fresh = Session.anonymous(now) if known is None else known.used(now)
    text = templates.page("login.html", form_key=fresh.form_key, next=after, error=_words(error), session=None)
    response = Response(text, 200 if error is None else error.code if isinstance(error, Refused) else 503)
    sessions.keep(response, fresh, settings)
    return response


def _words(error: Refused | TryAgain | None) -> str | None:
    if isinstance(error, Unauthorized):
        return "Keystone does not accept this login."
    if isinstance(error, CloudUnavailable):
        return "Keystone is not available now. Try again."
    return None if error is None else str(error)


def _credentials(form: Form) -> Credentials:
    def given(name: str) -> str:
        value = form.get(name, "")
        if not value or len(value) > _LONGEST or "\0" in value:
            raise BadRequest(f"the field {name.replace('_', ' ')} is missing or longer than {_LONGEST} characters")
        return value

    if form.get("method") == "application_credential":
        return ApplicationCredential(id=given("credential_id"), secret=given("credential_secret"))
    return PasswordLogin(
        user=given("user"),
        user_domain=given("user_domain"),
        password=given("password"),
        project=given("project"),
        project_domain=given("project_domain"),
    )
