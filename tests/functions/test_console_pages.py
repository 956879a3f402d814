"""The pages of the console, on recoveries that have happened."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from bench import crowd
from tests.functions.conftest import Installation, closed, report
from tests.functions.console import Browser, logged_in

_LARGEST = 100_000  # bytes
STOPPED = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}


@pytest.fixture
def browser(installation: Installation) -> Browser:
    """The browser of an administrator."""
    return logged_in(installation)


@pytest.fixture(scope="module")
def recovered(installation: Installation) -> dict[str, Any]:
    """A host whose recovery has finished, with its notification."""
    segment = installation.segment()
    host, _ = installation.host(segment), installation.host(segment)
    for number in range(3):
        installation.cloud.boot(host["name"], [f"<i>vm-{number}</i>"], metadata={"HA_Priority": str(number)})
    installation.cloud.kill_host(host["name"])
    body = report(host["name"], generated_time="2026-11-28T03:00:00", payload=STOPPED)
    made = installation.post("/v1/notifications", {"notification": body}).json()["notification"]
    assert closed(installation, made)["status"] == "finished"
    return host | {"notification": made["notification_uuid"], "segment": segment}


def test_a_recovery_is_explained_and_drawn(browser: Browser, recovered: dict[str, Any]) -> None:
    text = browser.get(f"/console/recoveries/{recovered['notification']}").text
    for question in ("May we act at all?", "Is the host dead?", "What would we do?", "Did it work?"):
        assert question in text
    assert "Priority 2: 1 of 1 restored" in text
    assert text.count("&lt;i&gt;vm-") >= 6  # in the drawing and in the table
    assert "<i>" not in text
    assert 'fill="url(#moving)"' in text


def test_the_instances_of_a_phase_stand_behind_its_number(browser: Browser, recovered: dict[str, Any]) -> None:
    address = f"/console/recoveries/{recovered['notification']}"
    assert browser.get(f"{address}?phase=restored").text.count('<th scope="row"') == 3
    nothing = browser.get(f"{address}?phase=failed").text
    assert '<td colspan="9">None.</td>' in nothing
    assert "show all" in nothing


def test_a_host_shows_evidence_and_recoveries(browser: Browser, recovered: dict[str, Any]) -> None:
    text = browser.get(f"/console/hosts/{recovered['uuid']}").text
    assert "service down" in text
    assert f'href="/console/recoveries/{recovered["notification"]}"' in text
    assert "on maintenance" in text
    assert browser.get(f"/console/hosts/{uuid4()}").status_code == 404


def test_a_host_shows_its_samples_by_network(
    installation: Installation, browser: Browser, host: dict[str, Any]
) -> None:
    samples = '[{"at": "2026-11-28T03:00:00+00:00", "vector": {"manage": "down", "storage": "up"}}]'
    installation.sql(
        "INSERT INTO host_health (host_uuid, samples, state, listed, suppressed, reported)"
        " VALUES (:host, CAST(:samples AS jsonb), 'degraded', true, false, 'nothing')",
        host=host["uuid"],
        samples=samples,
    )
    text = browser.get(f"/console/hosts/{host['uuid']}").text
    assert '<th scope="row">manage</th>' in text
    assert "degraded" in text
    assert host["name"] in browser.get("/console/hosts?state=degraded").text
    assert host["name"] not in browser.get("/console/hosts?state=down").text
    assert host["name"] in browser.get("/console/").text


def test_a_plan_says_what_would_be_done_and_changes_nothing(
    installation: Installation, browser: Browser, host: dict[str, Any]
) -> None:
    installation.cloud.boot(host["name"], ["would-move"])
    text = browser.get(f"/console/plans/{host['uuid']}").text
    assert "would-move" in text
    assert "1 instances would be evacuated" in text
    assert browser.get(f"/console/plans/{uuid4()}").status_code == 400


def test_an_incident_has_its_steps_and_each_instance(browser: Browser, recovered: dict[str, Any]) -> None:
    text = browser.get(f"/console/incidents/{recovered['notification']}").text
    assert "last sign of life" in text
    assert text.count("&lt;i&gt;vm-") == 3


@pytest.mark.parametrize("page", ["recoveries", "incidents"])
def test_what_was_never_reported_has_no_page(browser: Browser, page: str) -> None:
    assert browser.get(f"/console/{page}/{uuid4()}").status_code == 404
    assert browser.get(f"/console/{page}/%00").status_code == 404


def test_lists_stand_behind_the_numbers(browser: Browser, recovered: dict[str, Any]) -> None:
    assert recovered["notification"] in browser.get("/console/recoveries?show=finished").text
    assert recovered["notification"] not in browser.get("/console/recoveries?show=failed").text
    assert recovered["notification"] in browser.get(f"/console/recoveries?show=x&host={recovered['uuid']}").text
    inside = browser.get(f"/console/hosts?segment={recovered['segment']['uuid']}").text
    assert recovered["name"] in inside
    assert inside.count('<th scope="row">') == 2
    assert recovered["segment"]["name"] in browser.get("/console/segments").text


def test_every_link_of_the_pages_leads_to_a_page(browser: Browser, recovered: dict[str, Any]) -> None:
    seen: set[str] = set()
    ahead = ["/console/", f"/console/recoveries/{recovered['notification']}"]
    while ahead and len(seen) < 60:
        page = ahead.pop(0)
        seen.add(page)
        answer = browser.get(page)
        assert answer.status_code == 200, page
        links = {
            link.replace("&amp;", "&").split("#")[0] for link in re.findall(r'href="(/console/[^"]*)"', answer.text)
        }
        ahead += sorted(link for link in links - seen - set(ahead) if "/static/" not in link)


def test_who_may_not_see_a_page_gets_a_403(installation: Installation, recovered: dict[str, Any]) -> None:
    demo = logged_in(installation, "demo")
    uuid, host = recovered["notification"], recovered["uuid"]
    for page in (f"recoveries/{uuid}", f"incidents/{uuid}", f"hosts/{host}", f"plans/{host}", "recoveries", "hosts"):
        assert demo.get(f"/console/{page}").status_code == 403, page


@contextmanager
def crowded(installation: Installation, hosts: int, recoveries: int, instances: int) -> Iterator[str]:
    """Have so many hosts, recoveries in work, and instances of each; the uuid is one of the recoveries' and hosts'."""
    with installation.database.begin() as connection:
        uuid = crowd.add(connection, hosts, recoveries, instances)
    yield uuid
    with installation.database.begin() as connection:
        crowd.remove(connection)


def pages(uuid: str) -> list[str]:
    """Name the pages about a recovery and its host."""
    return [
        "/console/",
        f"/console/recoveries/{uuid}",
        f"/console/incidents/{uuid}",
        f"/console/hosts/{uuid}",
        "/console/recoveries",
        "/console/hosts",
        "/console/segments",
    ]


def test_a_page_takes_the_same_number_of_statements_however_much_there_is(
    installation: Installation, browser: Browser
) -> None:
    database = installation.world("console").database

    def count(*size: int) -> list[int]:
        found = []
        with crowded(installation, *size) as uuid:
            for page in pages(uuid):
                before = database.statements
                assert browser.get(page).status_code == 200
                found.append(database.statements - before)
        return found

    few, many = count(3, 2, 3), count(300, 30, 300)
    assert many == few
    assert max(few) <= 20


def test_no_page_is_large_at_1000_hosts_50_recoveries_and_500_instances(
    installation: Installation, browser: Browser
) -> None:
    with crowded(installation, 1000, 50, 500) as uuid:
        sizes = {page: len(browser.get(page).content) for page in pages(uuid)}
    assert max(sizes.values()) <= _LARGEST, sizes


def test_lists_go_on_where_a_page_ends(installation: Installation, browser: Browser) -> None:
    with crowded(installation, 250, 120, 120) as uuid:
        for page in (
            "/console/hosts?state=degraded",
            "/console/recoveries?show=open",
            f"/console/recoveries/{uuid}",
            f"/console/incidents/{uuid}",
        ):
            first = browser.get(page).text
            following = re.search(r'rel="next" href="([^"]+)"', first)
            assert following is not None, page
            second = browser.get(following[1].replace("&amp;", "&")).text
            rows = [set(re.findall(r'<th scope="row"(?: title=|><a href=)[^<]+', text)) for text in (first, second)]
            assert rows[1]
            assert not rows[0] & rows[1], page
