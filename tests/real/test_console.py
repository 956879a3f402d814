"""The console in a real browser: what an operator sees and does, with and without scripts, by mouse and by keyboard."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.real.stage import Stage, stage

pytest.importorskip("playwright", reason="tests/real/install.sh installs it")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"width": 360, "height": 740}
expect.set_options(timeout=30_000)  # milliseconds; a host is proven dead some seconds after its report


@pytest.fixture(scope="module")
def cloud() -> Iterator[Stage]:
    """The console of a simulated cloud."""
    with stage() as made:
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: tests/real/install.sh needs Debian and root")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def hosts(cloud: Stage) -> Iterator[list[dict[str, Any]]]:
    """Four hosts of a segment of their own with six instances each; afterwards nothing is known of their deaths."""
    made = cloud.segment(f"rack {uuid4().hex[:6]}", 4, 6)
    yield made
    for host in made:
        cloud.sql("DELETE FROM notifications WHERE source_host_uuid = :host", host=host["uuid"])


@pytest.fixture
def page(cloud: Stage, chromium: Browser) -> Iterator[Page]:
    """A page of an operator who has logged in; at its end the browser has complained of nothing."""
    with opened(chromium) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        log_in(cloud, page)
        yield page
        assert complaints == []


class opened:  # noqa: N801 - a context manager
    """A page of a browser that knows nothing yet."""

    def __init__(self, chromium: Browser, **about: Any) -> None:
        self._context: BrowserContext = chromium.new_context(**about)

    def __enter__(self) -> Page:
        page = self._context.new_page()
        page.set_default_timeout(15_000)
        return page

    def __exit__(self, *_: object) -> None:
        self._context.close()


def log_in(cloud: Stage, page: Page) -> None:
    """Log in as a person does."""
    page.goto(cloud.console)
    page.get_by_label("User", exact=True).fill(cloud.user.name)
    page.get_by_label("Password", exact=True).fill(cloud.user.password)
    page.get_by_label("Project", exact=True).fill(cloud.user.project.name)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def policy(cloud: Stage, host: dict[str, Any], **about: Any) -> None:
    """Change the policy of the segment of a host."""
    cloud.call("PUT", f"/x-instance-ha/policies/{host['failover_segment_id']}", {"policy": about})


def test_a_recovery_is_watched_from_its_report_to_its_end_without_loading_a_page_again(
    cloud: Stage, page: Page, hosts: list[dict[str, Any]]
) -> None:
    page.evaluate("window.loadedOnce = true")
    cloud.kill(hosts[0])
    running = page.get_by_role("region", name="In progress")
    expect(running.get_by_role("link", name=hosts[0]["name"])).to_be_visible()
    assert page.evaluate("window.loadedOnce")
    running.get_by_role("link", name=hosts[0]["name"]).click()
    page.evaluate("window.loadedOnce = true")
    expect(page.locator("svg[role=img]")).to_be_visible()
    expect(page.get_by_role("link", name="6 restored")).to_be_visible()
    expect(page.locator("#live > p .badge", has_text="finished")).to_be_visible()
    assert page.evaluate("window.loadedOnce")
    assert "finished 6/6" in page.title()


def test_a_recovery_that_is_held_is_approved(cloud: Stage, page: Page, hosts: list[dict[str, Any]]) -> None:
    policy(cloud, hosts[0], mode="approve")
    uuid = cloud.kill(hosts[0])
    card = page.locator("article", has_text=hosts[0]["name"])
    expect(card).to_contain_text("the mode of its segment is approve")
    card.get_by_label("Reason").fill("I have seen it")
    card.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Your decision is stored")
    cloud.await_status(uuid, "finished")
    expect(card).to_have_count(0)


def test_a_host_is_confirmed_dead(cloud: Stage, page: Page, hosts: list[dict[str, Any]]) -> None:
    policy(cloud, hosts[0], dead_when=[["confirmed"]])
    uuid = cloud.kill(hosts[0])
    card = page.locator("article", has_text=hosts[0]["name"])
    card.get_by_label("Reason").fill("its power is off")
    card.get_by_role("button", name="Confirm that it is dead").click()
    cloud.await_status(uuid, "finished")
    page.goto(f"{cloud.console}hosts/{hosts[0]['uuid']}")
    expect(page.get_by_role("region", name="Evidence")).to_contain_text("its power is off")


def test_a_pause_begins_and_is_seen_to_end(cloud: Stage, page: Page, hosts: list[dict[str, Any]]) -> None:
    page.get_by_role("link", name="Pauses", exact=True).click()
    page.get_by_label("Scope").select_option(label="A host")
    page.get_by_label("Host, if it is one").fill(hosts[1]["name"])
    page.get_by_label("Reason").fill("new firmware")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator(".card", has_text="new firmware")).to_contain_text(f"host {hosts[1]['name']}")
    page.evaluate("window.loadedOnce = true")
    cloud.sql("UPDATE pauses SET until = now() + interval '1 s' WHERE reason = 'new firmware'")
    expect(page.locator(".card", has_text="new firmware")).to_have_count(0)
    expect(page.get_by_text("Nothing is paused.")).to_be_visible()
    assert page.evaluate("window.loadedOnce")


_SUBMIT = """form => new Promise(answer => {
    form.addEventListener("submit", event => {
        event.preventDefault();
        setTimeout(() => answer(form.querySelector("button").disabled), 50);
    });
    form.requestSubmit();
})"""


def test_a_form_that_was_sent_cannot_be_sent_again(page: Page, cloud: Stage, hosts: list[dict[str, Any]]) -> None:
    page.goto(f"{cloud.console}hosts/{hosts[1]['uuid']}")
    page.get_by_label("Reason").fill("pressed twice")
    assert page.locator("form", has_text="Pause this host").evaluate(_SUBMIT)


def test_an_incident_is_opened_from_its_recovery(cloud: Stage, page: Page, hosts: list[dict[str, Any]]) -> None:
    uuid = cloud.kill(hosts[0])
    cloud.await_status(uuid, "finished")
    page.goto(f"{cloud.console}recoveries/{uuid}")
    page.get_by_role("link", name="Incident").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Incident of {hosts[0]['name']}")
    expect(page.get_by_role("region", name="Steps")).to_contain_text("last sign of life")
    expect(page.get_by_role("region", name="Instances, the longest outages first").locator("tbody tr")).to_have_count(6)


def test_what_somebody_types_and_opens_outlives_a_refresh(
    cloud: Stage, page: Page, hosts: list[dict[str, Any]]
) -> None:
    policy(cloud, hosts[0], mode="approve")
    uuid = cloud.kill(hosts[0])
    cloud.await_status(uuid, "held")
    page.goto(f"{cloud.console}recoveries/{uuid}")
    page.get_by_text("rows behind it").first.click()
    as_of = page.locator("#live time").first
    before = as_of.inner_text()
    expect(as_of).not_to_have_text(before)
    expect(page.locator("details[open]")).to_have_count(1)
    page.get_by_label("Reason").fill("I am still typ")
    expect(page.get_by_text("Not refreshed while you type.")).to_be_visible()
    time.sleep(2.5)
    assert page.get_by_label("Reason").input_value() == "I am still typ"


def test_a_page_says_when_it_cannot_be_refreshed(cloud: Stage, chromium: Browser) -> None:
    with opened(chromium) as page:
        log_in(cloud, page)
        page.context.set_offline(True)
        expect(page.get_by_text("It could not be refreshed: this is old.")).to_be_visible()
        page.context.set_offline(False)
        expect(page.get_by_text("It refreshes itself.")).to_be_visible()


def test_a_session_that_is_over_leads_to_the_login(cloud: Stage, chromium: Browser) -> None:
    with opened(chromium) as page:
        log_in(cloud, page)
        page.context.clear_cookies()
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def test_no_script_reads_the_session_and_no_script_of_others_runs(cloud: Stage, page: Page) -> None:
    assert page.evaluate("document.cookie") == ""
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "instance-ha-console"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")


def test_all_works_without_scripts(cloud: Stage, chromium: Browser, hosts: list[dict[str, Any]]) -> None:
    policy(cloud, hosts[0], mode="approve")
    uuid = cloud.kill(hosts[0])
    cloud.await_status(uuid, "held")
    with opened(chromium, java_script_enabled=False) as page:
        log_in(cloud, page)
        card = page.locator("article", has_text=hosts[0]["name"])
        card.get_by_label("Reason").fill("by hand")
        card.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_be_visible()
        cloud.await_status(uuid, "finished")
        page.get_by_role("link", name="Refresh").click()
        expect(page.locator("article", has_text=hosts[0]["name"])).to_have_count(0)
        page.get_by_role("region", name="Ended within a day").get_by_role("link", name=hosts[0]["name"]).click()
        expect(page.get_by_text("6 restored").first).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def test_all_works_by_keyboard_alone(cloud: Stage, chromium: Browser, hosts: list[dict[str, Any]]) -> None:
    policy(cloud, hosts[0], mode="approve")
    uuid = cloud.kill(hosts[0])
    cloud.await_status(uuid, "held")
    with opened(chromium) as page:
        page.goto(cloud.console)
        tab_to(page, "input[name=user]")
        for text in (cloud.user.name, cloud.user.password, cloud.user.project.name):
            page.keyboard.type(text)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        tab_to(page, f"#reason-{uuid}")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.type("by keyboard")
        tab_to(page, "button[value=approve]")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_be_visible()
        cloud.await_status(uuid, "finished")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus; twice as often as there is what can have it."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


@pytest.fixture(scope="module")
def addresses(cloud: Stage) -> Iterator[list[str]]:
    """Every page, each with something to see: a host is held, one was recovered, one is paused."""
    made = cloud.segment("rack to be seen", 4, 40)
    finished = cloud.kill(made[0])
    cloud.await_status(finished, "finished", 120)
    policy(cloud, made[1], mode="approve")
    waiting = cloud.kill(made[1])
    cloud.await_status(waiting, "held")
    cloud.tick("readiness")
    until = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3600))
    pause = {"scope": "host", "host": made[2]["name"], "reason": "to be seen", "until": until}
    cloud.call("POST", "/x-instance-ha/pauses", {"pause": pause})
    yield [
        "",
        f"recoveries/{finished}",
        f"recoveries/{waiting}",
        f"incidents/{finished}",
        f"hosts/{made[0]['uuid']}",
        f"hosts/{made[2]['uuid']}",
        f"plans/{made[3]['uuid']}",
        "recoveries",
        "hosts",
        "segments",
        "pauses",
        "nothing",
    ]
    cloud.sql("DELETE FROM notifications WHERE notification_uuid IN (:one, :other)", one=finished, other=waiting)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_violation_on_any_page(
    cloud: Stage, chromium: Browser, addresses: list[str], scheme: Any, viewport: Any
) -> None:
    with opened(chromium, color_scheme=scheme, viewport=viewport) as page:
        page.goto(f"{cloud.console}login")
        found = {"login": violations(page)}
        log_in(cloud, page)
        for address in addresses:
            page.goto(f"{cloud.console}{address}")
            found[address] = violations(page)
    assert {address: those for address, those in found.items() if those} == {}


def violations(page: Page) -> list[str]:
    """Name what axe finds wrong, with the first place of each."""
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in Axe().run(page).response["violations"]]


def test_no_page_is_wider_than_a_phone(cloud: Stage, chromium: Browser, addresses: list[str]) -> None:
    with opened(chromium, viewport=PHONE) as page:
        log_in(cloud, page)
        for address in addresses:
            page.goto(f"{cloud.console}{address}")
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address


def test_a_dark_desk_gets_dark_pages(cloud: Stage, chromium: Browser) -> None:
    def ground(scheme: Any) -> int:
        with opened(chromium, color_scheme=scheme) as page:
            page.goto(f"{cloud.console}login")
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    assert ground("dark") < 200
    assert ground("light") > 600
