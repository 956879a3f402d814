"""The cookie of a session: what is in it, for how long, and who can read it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Request, Response
from instance_ha.console import session as sessions
from instance_ha.console.session import COOKIE, LOGIN_COOKIE, Session
from instance_ha.models.errors import Refused
from instance_ha.models.logins import IssuedToken
from instance_ha.settings import Settings, load
from werkzeug.test import EnvironBuilder

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
KEY, OTHER = "k" * 32, "o" * 32


def settings(key: str = KEY, **values: str) -> Settings:
    """Return the settings of a console."""
    given = {f"INSTANCE_HA_{name.upper()}": value for name, value in values.items()}
    return load({"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_CONSOLE_KEY": key} | given)


def issued(token: str = "gAAAA-token", lasts: float = 86400) -> IssuedToken:
    """Return a token that a user has got."""
    return IssuedToken(token=token, user="ann", project="ops", expires_at=NOW + timedelta(seconds=lasts))


def cookie(session: Session, given: Settings) -> str:
    """Return the header that gives a session to a browser."""
    response = Response()
    sessions.keep(response, session, given)
    return response.headers["Set-Cookie"]


def read(header: str, given: Settings, after: float = 0, name: str = COOKIE) -> Session | None:
    """Read what a browser sends back some seconds later."""
    pair = header.split(";")[0]
    request = Request(EnvironBuilder(headers=[("Cookie", pair)]).get_environ())
    return sessions.read(request, given, NOW + timedelta(seconds=after), name)


def test_a_session_is_read_as_it_was_written() -> None:
    session = Session.of(issued(), settings(), NOW)
    assert read(cookie(session, settings()), settings()) == session


def test_neither_token_nor_user_stand_in_the_cookie_in_plain_text() -> None:
    header = cookie(Session.of(issued(), settings(), NOW), settings())
    assert "gAAAA-token" not in header
    assert "ann" not in header.split(";")[0].split(".")[0]


def test_no_script_and_no_other_site_gets_the_cookie() -> None:
    attributes = {part.strip() for part in cookie(Session.of(issued(), settings(), NOW), settings()).split(";")[1:]}
    assert attributes == {"HttpOnly", "Secure", "SameSite=Strict", "Path=/console"}


def test_only_a_demo_sends_it_over_plain_http() -> None:
    given = settings(console_over_http="true")
    assert "Secure" not in cookie(Session.of(issued(), given, NOW), given)


@pytest.mark.parametrize(("after", "lasts"), [(1799, True), (1800, False)])
def test_a_session_that_nobody_uses_ends(after: float, lasts: bool) -> None:
    header = cookie(Session.of(issued(), settings(), NOW), settings())
    assert (read(header, settings(), after) is not None) is lasts


@pytest.mark.parametrize(("after", "lasts"), [(28799, True), (28800, False)])
def test_a_session_ends_though_it_is_used(after: float, lasts: bool) -> None:
    used = Session.of(issued(), settings(), NOW).used(NOW + timedelta(seconds=after - 1))
    assert (read(cookie(used, settings()), settings(), after) is not None) is lasts


def test_a_session_ends_with_its_token() -> None:
    header = cookie(Session.of(issued(lasts=60), settings(), NOW), settings())
    assert read(header, settings(), 59) is not None
    assert read(header, settings(), 60) is None


def test_a_key_that_was_replaced_still_reads_and_does_not_encrypt_any_more() -> None:
    old = cookie(Session.of(issued(), settings(), NOW), settings())
    both = settings(f"{OTHER}\n{KEY}")
    session = read(old, both)
    assert session is not None
    assert read(cookie(session, both), settings(OTHER)) == session


@pytest.mark.parametrize("text", ["", "x", "gAAAAABm", "\xff", "a" * 5000])
def test_what_we_have_not_made_is_no_session(text: str) -> None:
    assert read(f"{COOKIE}={text}", settings()) is None


def test_the_cookie_of_another_key_is_no_session() -> None:
    assert read(cookie(Session.of(issued(), settings(), NOW), settings()), settings(OTHER)) is None


def test_a_cookie_of_another_version_of_us_is_no_session() -> None:
    cipher = sessions._cipher(settings().console_keys)
    text = cipher.encrypt(json.dumps({"something": "else"}).encode()).decode()
    assert read(f"{COOKIE}={text}", settings()) is None


def test_a_browser_that_has_not_logged_in_keeps_its_form_key_in_a_cookie_of_its_own() -> None:
    anonymous = Session.anonymous(NOW)
    header = cookie(anonymous, settings())
    assert header.startswith(f"{LOGIN_COOKIE}=")
    assert read(header, settings(), name=LOGIN_COOKIE) == anonymous


def test_each_session_has_a_form_key_of_its_own() -> None:
    assert Session.anonymous(NOW).form_key != Session.anonymous(NOW).form_key


def test_a_token_that_fits_no_cookie_is_refused() -> None:
    session = replace(Session.of(issued(), settings(), NOW), token="t" * 4000)
    with pytest.raises(Refused, match="too long for a cookie"):
        cookie(session, settings())


def test_what_is_logged_of_a_session_or_a_login_has_no_secret() -> None:
    assert "gAAAA-token" not in repr(Session.of(issued(), settings(), NOW)) + repr(issued())
