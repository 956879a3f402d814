"""The buttons of the console: what they do, who may press them, and what guards them."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from instance_ha.console.buttons import BUTTONS

from tests.functions.conftest import Installation, closed, report, unique
from tests.functions.console import Browser, logged_in

STOPPED = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
HOME = "/console/"


@pytest.fixture
def browser(installation: Installation) -> Browser:
    """The browser of an operator."""
    return logged_in(installation)


@pytest.fixture
def host(installation: Installation, segment: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A host with an instance, and another one beside it; afterwards nothing is known of its death."""
    made, _ = installation.host(segment), installation.host(segment)
    installation.cloud.boot(made["name"], [unique("vm")])
    yield made
    installation.sql("DELETE FROM notifications WHERE source_host_uuid = :host", host=made["uuid"])


def policy(installation: Installation, segment: dict[str, Any], **about: Any) -> None:
    """Change the policy of a segment."""
    path = f"/v1/x-instance-ha/policies/{segment['uuid']}"
    assert installation.put(path, {"policy": about}).status_code == 200


def held(installation: Installation, host: dict[str, Any]) -> dict[str, Any]:
    """Let a host die, and wait until its recovery is held."""
    installation.cloud.kill_host(host["name"])
    body = report(host["name"], generated_time="2026-11-28T03:00:00", payload=STOPPED)
    made = dict(installation.post("/v1/notifications", {"notification": body}).json()["notification"])
    uuid = made["notification_uuid"]
    for _ in range(200):
        with installation.database.read() as connection:
            query = f"SELECT held_since FROM notifications WHERE notification_uuid = '{uuid}'"
            if connection.exec_driver_sql(query).scalar_one() is not None:
                return made
    raise AssertionError("it is not held")


def test_an_approval_lets_a_recovery_go_on(
    installation: Installation, browser: Browser, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    policy(installation, segment, mode="approve")
    made = held(installation, host)
    page = f"/console/recoveries/{made['notification_uuid']}"
    assert "Approve" in browser.get(page).text
    assert "Confirm that it is dead" not in browser.get(page).text
    fields = {"verdict": "approve", "reason": "seen it", "back": page}
    answer = browser.post(f"{page}/approval", fields, page)
    assert answer.url.endswith(f"{page}?done=decided")
    assert "Your decision is stored" in answer.text
    assert closed(installation, made)["status"] == "finished"
    assert "approved by user" in browser.get(page).text


def test_a_denial_ends_a_recovery(
    installation: Installation, browser: Browser, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    policy(installation, segment, mode="approve")
    made = held(installation, host)
    page = f"/console/recoveries/{made['notification_uuid']}"
    browser.post(f"{page}/approval", {"verdict": "deny", "reason": "a test", "back": HOME}, HOME)
    assert closed(installation, made)["status"] == "ignored"


def test_a_confirmed_death_lets_a_recovery_go_on(
    installation: Installation, browser: Browser, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    policy(installation, segment, dead_when=[["confirmed"]])
    made = held(installation, host)
    text = browser.get(HOME).text
    assert f'formaction="/console/hosts/{host["uuid"]}/confirmation"' in text
    browser.post(f"/console/hosts/{host['uuid']}/confirmation", {"reason": "I stand beside it", "back": HOME}, HOME)
    assert closed(installation, made)["status"] == "finished"
    assert "I stand beside it" in browser.get(f"/console/hosts/{host['uuid']}").text


@pytest.mark.parametrize("scope", ["cloud", "segment", "host"])
def test_a_pause_begins_and_is_ended(
    installation: Installation, browser: Browser, host: dict[str, Any], segment: dict[str, Any], scope: str
) -> None:
    reason = unique("reason")
    fields = {"scope": scope, "segment_uuid": segment["uuid"], "host": host["name"], "reason": reason, "hours": "4"}
    answer = browser.post("/console/pauses/new", fields | {"back": "/console/pauses"}, "/console/pauses")
    assert "The pause has begun." in answer.text
    (pause,) = [one for one in _pauses(installation) if one["reason"] == reason]
    assert (pause["segment_uuid"] is not None, pause["host_uuid"] is not None) == (scope == "segment", scope == "host")
    for page in (HOME, "/console/pauses", f"/console/hosts/{host['uuid']}"):
        assert reason in browser.get(page).text
    browser.post(f"/console/pauses/{pause['uuid']}/end", {"back": HOME}, HOME)
    assert reason not in browser.get(HOME).text


def _pauses(installation: Installation) -> list[dict[str, Any]]:
    return list(installation.get("/v1/x-instance-ha/pauses").json()["pauses"])


def test_a_host_is_brought_back_and_its_return_stopped(
    installation: Installation, browser: Browser, host: dict[str, Any]
) -> None:
    installation.cloud.kill_host(host["name"])
    body = report(host["name"], generated_time="2026-11-28T03:00:00", payload=STOPPED)
    closed(installation, installation.post("/v1/notifications", {"notification": body}).json()["notification"])
    page = f"/console/hosts/{host['uuid']}"
    text = browser.post(f"{page}/return", {"move_home": "on", "back": page}, page).text
    assert "its instances go home" in text
    stop = re.search(r'action="(/console/returns/[^"]+/stop)"', text)
    assert stop is not None
    assert "The return is being stopped." in browser.post(stop[1], {"back": page}, page).text


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("/console/recoveries/{n}/approval", {"verdict": "approve", "reason": ""}, 400),
        ("/console/recoveries/{n}/approval", {"verdict": "perhaps", "reason": "x"}, 400),
        ("/console/recoveries/{n}/approval", {"verdict": "approve", "reason": "not held"}, 400),
        ("/console/pauses/new", {"scope": "world", "reason": "x", "hours": "1"}, 400),
        ("/console/pauses/new", {"scope": "cloud", "reason": "x", "hours": "1000"}, 400),
        ("/console/pauses/new", {"scope": "host", "reason": "x", "hours": "1"}, 400),
        ("/console/pauses/{n}/end", {}, 404),
        ("/console/returns/{n}/stop", {}, 404),
        ("/console/hosts/{n}/return", {}, 400),
        ("/console/hosts/{n}/confirmation", {"reason": "x"}, 400),
    ],
)
def test_what_the_api_refuses_is_refused_in_its_words(
    browser: Browser, path: str, fields: dict[str, str], code: int
) -> None:
    answer = browser.post(path.format(n=uuid4()), fields, HOME)
    assert answer.status_code == code
    assert 'role="alert"' in answer.text


def test_a_button_leads_to_no_other_site(installation: Installation, browser: Browser) -> None:
    fields = {"scope": "cloud", "reason": "x", "hours": "1", "back": "https://evil.example/"}
    answer = browser.post("/console/pauses/new", fields, HOME, allow_redirects=False)
    assert answer.headers["Location"] == "/console/?done=paused"
    browser.post(f"/console/pauses/{_pauses(installation)[0]['uuid']}/end", {}, HOME)


@pytest.fixture
def nothing_done(installation: Installation) -> Iterator[None]:
    """A test in which no row of what people decide is written."""

    def count() -> int:
        with installation.database.read() as connection:
            tables = ("approvals", "evidence", "pauses", "returns")
            sums = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)
            return int(connection.exec_driver_sql(f"SELECT {sums}").scalar_one())

    before = count()
    yield
    assert count() == before


_PATHS = [re.sub(r"<\w+>", "some-uuid", f"/console{button.path}") for button in BUTTONS]
_FIELDS = {"verdict": "approve", "reason": "x", "scope": "cloud", "hours": "1"}


@pytest.mark.usefixtures("nothing_done")
@pytest.mark.parametrize("path", _PATHS)
def test_no_button_is_pressed_from_another_site(installation: Installation, browser: Browser, path: str) -> None:
    others = logged_in(installation).form_key(HOME)
    for key in ({}, {"form_key": ""}, {"form_key": "x"}, {"form_key": others}):
        answer = browser.post(path, _FIELDS | key)
        assert answer.status_code == 403
        assert "not of this session" in answer.text
    assert browser.get(path).status_code in {404, 405}


@pytest.mark.usefixtures("nothing_done")
@pytest.mark.parametrize("path", _PATHS)
def test_no_button_is_pressed_without_a_login(installation: Installation, path: str) -> None:
    answer = Browser(installation).post(path, _FIELDS, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login")


@pytest.mark.usefixtures("nothing_done")
@pytest.mark.parametrize("path", _PATHS)
def test_a_button_that_one_may_not_press_is_refused(installation: Installation, path: str) -> None:
    monitor = logged_in(installation, "masakari")  # an administrator, and no operator
    answer = monitor.post(path, _FIELDS, HOME)
    assert answer.status_code == 403
    assert "Policy doesn&#39;t allow" in answer.text


def test_a_button_that_one_may_not_press_is_not_shown(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    policy(installation, segment, mode="approve")
    made = held(installation, host)
    monitor = logged_in(installation, "masakari")
    for page in (HOME, f"/console/recoveries/{made['notification_uuid']}", f"/console/hosts/{host['uuid']}"):
        text = monitor.get(page).text
        assert host["name"] in text
        assert re.findall(r'action="([^"]+)"', text) == ["/console/logout"]
