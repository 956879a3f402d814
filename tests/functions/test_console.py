"""The console over HTTP: who is let in, what guards its forms, and the first page."""

import re
from typing import Any

import pytest
from flask import Request
from instance_ha.console.site import Site
from instance_ha.world import ConsoleWorld
from instance_ha_simulator.cloud.faults import Rule
from structlog.testing import capture_logs
from werkzeug.test import EnvironBuilder

from tests.functions.conftest import Installation, unique
from tests.functions.console import Browser, logged_in

HOME = "/console/"


@pytest.fixture
def browser(installation: Installation) -> Browser:
    """A browser whose user has not logged in."""
    return Browser(installation)


def test_who_has_not_logged_in_is_sent_to_the_login_and_then_on(browser: Browser) -> None:
    asked = browser.get("/console/?a=b", allow_redirects=False)
    assert (asked.status_code, asked.headers["Location"]) == (303, "/console/login?next=/console/%3Fa%3Db")
    answer = browser.log_in(but={"next": "/console/?a=b"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/?a=b")
    assert "<h1>Overview</h1>" in browser.get(HOME).text


def test_an_application_credential_logs_in(installation: Installation, browser: Browser) -> None:
    with installation.cloud.world():
        credential = installation.cloud.identity.make_application_credential("admin")
    fields = {"credential_id": credential.id, "credential_secret": credential.secret}
    answer = browser.post("/console/login", fields | {"method": "application_credential"}, "/console/login")
    assert "<h1>Overview</h1>" in answer.text
    assert "admin, project admin" in answer.text


@pytest.mark.parametrize("wrong", [{"user": "nobody"}, {"password": "wrong-password"}, {"project": "nowhere"}])
def test_a_refused_login_does_not_say_what_was_wrong(browser: Browser, wrong: dict[str, str]) -> None:
    answer = browser.log_in("admin", wrong)
    assert answer.status_code == 401
    assert "Keystone does not accept this login." in answer.text
    assert "instance-ha-console" not in browser.session.cookies.get_dict()


@pytest.mark.parametrize("fields", [{"user": ""}, {"password": "x" * 256}, {"project": "a\0b"}])
def test_a_login_that_makes_no_sense_is_refused(browser: Browser, fields: dict[str, str]) -> None:
    assert browser.log_in(but=fields).status_code == 400


def test_a_password_stands_in_no_log(installation: Installation, browser: Browser) -> None:
    with capture_logs() as lines:
        browser.log_in(but={"password": "my-very-own-password"})
        browser.log_in()
    assert {"login refused", "logged in"} <= {line["event"] for line in lines}
    assert "my-very-own-password" not in str(lines)
    assert installation.cloud.identity.users["admin"].password not in str(lines)


def test_a_keystone_that_is_away_is_not_the_fault_of_the_user(installation: Installation, browser: Browser) -> None:
    installation.cloud.faults.add(Rule(method="POST", path="/identity/v3/auth/tokens", status=500, times=1))
    answer = browser.log_in()
    assert answer.status_code == 503
    assert "Keystone is not available now" in answer.text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example/console/",
        "/console//evil.example",
        "/console/../x",
        "/console/%2E%2e/v1",
        "/\\evil",
        "/v1",
        "/console/logout",
    ],
)
def test_a_login_leads_to_no_other_site(browser: Browser, elsewhere: str) -> None:
    assert browser.log_in(but={"next": elsewhere}).headers["Location"] == HOME
    asked = Browser(browser._installation).get("/console/login", params={"next": elsewhere})
    assert "evil" not in asked.text


def test_a_login_form_of_another_browser_is_refused(installation: Installation, browser: Browser) -> None:
    browser.get("/console/login")
    answer = browser.post("/console/login", {"form_key": Browser(installation).form_key("/console/login")})
    assert answer.status_code == 403
    assert "not of this session" in answer.text


def test_a_log_out_ends_session_and_token(installation: Installation) -> None:
    browser = logged_in(installation)
    known = installation.cloud.identity.tokens()
    assert browser.post("/console/logout", {}, HOME).url.endswith("/console/login")
    assert "instance-ha-console" not in browser.session.cookies.get_dict()
    assert len(known - installation.cloud.identity.tokens()) == 1


def test_a_cookie_that_was_kept_counts_for_nothing_after_the_log_out(installation: Installation) -> None:
    browser = logged_in(installation)
    kept = browser.session.cookies.copy()
    browser.post("/console/logout", {}, HOME)
    browser.session.cookies = kept
    assert browser.get(HOME, allow_redirects=False).headers["Location"] == "/console/login"


def test_a_session_ends_when_keystone_does_not_know_its_token_any_more(installation: Installation) -> None:
    browser = logged_in(installation)
    for token in installation.cloud.identity.tokens() - installation.used_tokens:
        installation.cloud.identity.revoke(token)
    assert browser.get(HOME).url.endswith("/console/login")
    assert "instance-ha-console" not in browser.session.cookies.get_dict()


def test_a_log_out_needs_the_key_of_the_session(installation: Installation) -> None:
    browser = logged_in(installation)
    assert browser.post("/console/logout", {"form_key": "x"}).status_code == 403
    assert browser.get(HOME).status_code == 200


def test_a_made_up_cookie_lets_nobody_in(browser: Browser) -> None:
    browser.session.cookies.set("instance-ha-console", "gAAAAABmmade-up")
    assert browser.get(HOME, allow_redirects=False).headers["Location"] == "/console/login"


def test_who_may_not_read_recoveries_sees_that_and_can_log_out(installation: Installation) -> None:
    answer = logged_in(installation, "demo").get(HOME)
    assert answer.status_code == 403
    assert "Log out" in answer.text
    assert "demo, project demo" in answer.text


def test_every_answer_is_guarded_against_other_sites(installation: Installation, browser: Browser) -> None:
    inside = logged_in(installation)
    answers = [inside.get(HOME), inside.get("/console/none"), browser.get("/console/login"), browser.log_in("demo")]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("page", [HOME, "/console/login"])
def test_a_page_has_no_script_and_no_style_of_its_own_and_nothing_of_others(
    installation: Installation, page: str
) -> None:
    browser = logged_in(installation) if page == HOME else Browser(installation)
    text = browser.get(page).text
    assert " style=" not in text
    assert "<style" not in text
    assert " on" + "click" not in text
    assert text.count("<script") == text.count('<script src="/console/static/live.js?')
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize(("name", "kind"), [("style.css", "text/css"), ("live.js", "text/javascript")])
def test_what_pages_are_made_with_is_kept_by_browsers(browser: Browser, name: str, kind: str) -> None:
    answer = browser.get(f"/console/static/{name}")
    assert answer.headers["Content-Type"].startswith(kind)
    assert "immutable" in answer.headers["Cache-Control"]
    assert browser.get("/console/static/other.css").status_code == 404


def test_an_unknown_page_and_a_method_that_no_page_has_are_refused(installation: Installation) -> None:
    browser = logged_in(installation)
    assert browser.get("/console/none").status_code == 404
    answer = browser.post(HOME, {}, HOME)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", None])
def test_what_is_no_form_is_refused(browser: Browser, kind: str | None) -> None:
    answer = browser.session.post(
        f"{browser._installation.url}/console/login", data=b"x", headers={"Content-Type": kind}
    )
    assert answer.status_code == 415


def test_a_fault_of_ours_is_a_page_that_names_the_request(installation: Installation) -> None:
    browser = logged_in(installation)
    installation.sql("ALTER TABLE pauses RENAME TO pauses_elsewhere")
    answer = browser.get(HOME)
    installation.sql("ALTER TABLE pauses_elsewhere RENAME TO pauses")
    assert answer.status_code == 500
    assert re.search(r"logged with the request id req-[0-9a-f-]{36}", answer.text)
    assert "<h1>Internal Server Error</h1>" in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "let_in"),
    [("/console/login", True), ("/console/pauses/new", False), ("/console/logout", False), ("/console/", None)],
)
def test_a_body_is_awaited_only_of_a_person_who_has_logged_in(
    installation: Installation, path: str, let_in: bool | None
) -> None:
    site, world = Site(), installation.world("console")
    assert isinstance(world, ConsoleWorld)
    for cookies, code in (({}, 100 if let_in else 303), (dict(logged_in(installation).session.cookies), 100)):
        header = [("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()))]
        request = Request(EnvironBuilder(path, method="POST", headers=header).get_environ())
        assert site.admit(request, world, "req-1").status_code == (405 if let_in is None else code)


def test_a_refresh_by_itself_brings_the_live_part_and_does_not_make_the_session_longer(
    installation: Installation,
) -> None:
    browser = logged_in(installation)
    assert "Set-Cookie" in browser.get(HOME).headers
    answer = browser.get(HOME, headers={"X-Console-Live": "1"})
    assert answer.text.lstrip().startswith('<div id="live"')
    assert "Set-Cookie" not in answer.headers


def held(installation: Installation, **about: Any) -> dict[str, Any]:
    """Have a host whose recovery is held, and return it."""
    host = installation.host(installation.segment())
    columns = {
        "notification_uuid": unique("n")[:36],
        "host": host["uuid"],
        "segment": host["failover_segment_id"],
        "message": "held: <b>why</b>; it goes on when somebody says so, and is given up at 2100-01-01 00:00 UTC",
    } | about
    installation.sql(
        "INSERT INTO notifications (notification_uuid, created_at, generated_time, source_host_uuid, type, payload,"
        " status, failover_segment_uuid, held_since, message) VALUES (:notification_uuid, now(), now(), :host,"
        " 'COMPUTE_HOST', '{}', 'new', :segment, now(), :message)",
        **columns,
    )
    return host | {"notification_uuid": columns["notification_uuid"]}


def test_what_is_held_stands_first_with_its_reason_and_what_releases_it(installation: Installation) -> None:
    host = held(installation)
    text = logged_in(installation).get(HOME).text
    assert text.index('<h2 id="held-title">') < text.index(host["name"]) < text.index('<h2 id="running-title">')
    assert "&lt;b&gt;why&lt;/b&gt;" in text
    assert "It goes on when somebody says so." in text
    assert "given up at 2100-01-01 00:00 UTC" in text
    installation.sql("DELETE FROM notifications WHERE notification_uuid = :uuid", uuid=host["notification_uuid"])
