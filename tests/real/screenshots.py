"""``make screenshots``: writes the pictures of docs/console.md, of a simulated cloud in which hosts have just died."""

import time
from pathlib import Path
from typing import Any

from instance_ha import log
from playwright.sync_api import Page, sync_playwright

from local.files import repository
from tests.real.stage import Stage, stage

_FOLDER = repository() / "docs" / "images"
_CHROMIUM = Path("/usr/bin/chromium")
_DESK, _PHONE = {"width": 1000, "height": 640}, {"width": 360, "height": 720}


def main() -> None:
    """Write them."""
    _FOLDER.mkdir(exist_ok=True)
    with stage(evacuate_seconds=3.0) as cloud, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        desk = browser.new_context(viewport=_DESK).new_page()
        night = browser.new_context(viewport=_DESK, color_scheme="dark").new_page()
        phone = browser.new_context(viewport=_PHONE, color_scheme="dark").new_page()
        for page in (desk, night, phone):
            _log_in(cloud, page)
        _play(cloud, desk, night, phone)
        browser.close()
        log.configure("CRITICAL")  # what still runs loses its Postgres now


def _play(cloud: Stage, desk: Page, night: Page, phone: Page) -> None:
    fenced = cloud.segment("rack-1", 4, 4, dead_when=[["power_off"], ["confirmed"]])
    asked = cloud.segment("rack-2", 4, 4, mode="approve")
    hosts = cloud.segment("rack-3", 5, 18)
    cloud.tick("readiness")
    _sample(cloud, [fenced[0], asked[0], hosts[0]])
    for host in (fenced[0], asked[0]):
        cloud.await_status(cloud.kill(host), "held")
    recovery = cloud.kill(hosts[0])
    _wait_for(cloud, recovery, at_rest=9)
    _picture(desk, cloud, "", "console-overview", 860)
    _picture(phone, cloud, "", "console-phone", 720)
    _picture(desk, cloud, f"recoveries/{recovery}", "console-recovery", 900)
    _picture(night, cloud, f"hosts/{hosts[0]['uuid']}", "console-host", 640)
    _picture(desk, cloud, f"plans/{hosts[1]['uuid']}", "console-plan", 560)
    cloud.await_status(recovery, "finished", 120)
    _picture(night, cloud, f"incidents/{recovery}", "console-incident", 860)


def _sample(cloud: Stage, dead: list[dict[str, Any]]) -> None:
    """Write down what monitor-poll would have seen: all hosts are up, but for those that have just died."""
    names = [host["name"] for host in dead]
    seen = """
        INSERT INTO host_health (host_uuid, samples, state, listed, suppressed, reported, since)
        SELECT uuid, (
            SELECT jsonb_agg(jsonb_build_object('at', now() - n * interval '10 s', 'vector', jsonb_build_object(
                'manage', CASE WHEN down AND n < 3 THEN 'down' ELSE 'up' END,
                'tenant', CASE WHEN down AND n < 3 THEN 'down' ELSE 'up' END,
                'storage', CASE WHEN down AND n < 2 THEN 'down' ELSE 'up' END)) ORDER BY n DESC)
            FROM generate_series(0, 5) n
        ), CASE WHEN down THEN 'down' ELSE 'up' END, true, false, CASE WHEN down THEN 'stopped' ELSE 'nothing' END,
            now() - interval '20 s'
        FROM (SELECT uuid, name = ANY(:names) AS down FROM hosts) AS known
    """
    cloud.sql(seen, names=names)


def _wait_for(cloud: Stage, recovery: str, at_rest: int) -> None:
    while sum(move["status"] == "succeeded" for move in _moves(cloud, recovery)) < at_rest:
        time.sleep(0.1)


def _moves(cloud: Stage, recovery: str) -> list[dict[str, Any]]:
    return list(cloud.call("GET", f"/notifications/{recovery}/vmoves")["vmoves"])


def _log_in(cloud: Stage, page: Page) -> None:
    page.goto(cloud.console)
    for label, value in (("User", "admin"), ("Password", cloud.user.password), ("Project", "admin")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(cloud.console)


def _picture(page: Page, cloud: Stage, address: str, name: str, height: int) -> None:
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.goto(f"{cloud.console}{address}")
    page.wait_for_timeout(200)
    page.screenshot(path=_FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
