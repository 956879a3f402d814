"""Purge over HTTP: with an operator's token, and as a tick."""

from typing import Any

import pytest

from tests.functions.conftest import Installation, closed, fault

PATH = "/v1/x-instance-ha/purge"
TABLES = {
    "host_health",
    "guest_health",
    "hosts",
    "vmoves",
    "recovery_tasks",
    "fence_attempts",
    "gate_decisions",
    "approvals",
    "returns",
    "notifications",
    "evidence",
    "pauses",
    "segment_policies",
    "failover_segments",
    "outbox",
}


def purge(installation: Installation, **order: Any) -> dict[str, Any]:
    """Purge; returns what was answered."""
    answer = installation.post(PATH, {"purge": order})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["purge"])


@pytest.fixture(autouse=True)
def nothing_old(installation: Installation) -> None:
    """Begin without what other tests have left behind on the same server, in whichever order they ran."""
    while not purge(installation, age_in_days=4)["complete"]:
        pass


def age(installation: Installation, notification: dict[str, Any], days: int) -> None:
    """Make a notification older than it is."""
    change = f"UPDATE notifications SET updated_at = updated_at - interval '{days} days' WHERE notification_uuid = :u"
    installation.sql(change, u=notification["notification_uuid"])


def test_a_purge_answers_with_the_rows_of_each_table(installation: Installation, host: dict[str, Any]) -> None:
    old = closed(installation, installation.notification(host))
    age(installation, old, 31)
    counted = purge(installation, dry_run=True)
    assert (counted["dry_run"], counted["tables"]["notifications"]) == (True, 1)
    assert installation.get(f"/v1/notifications/{old['notification_uuid']}").status_code == 200
    answered = purge(installation)
    assert set(answered["tables"]) == TABLES
    assert answered == counted | {"dry_run": False}
    assert answered["complete"] is True
    assert installation.get(f"/v1/notifications/{old['notification_uuid']}").status_code == 404


def test_the_age_is_the_callers_choice(installation: Installation, host: dict[str, Any]) -> None:
    old = closed(installation, installation.notification(host))
    age(installation, old, 5)
    assert purge(installation, age_in_days=6)["tables"]["notifications"] == 0
    assert purge(installation, age_in_days=4)["tables"]["notifications"] == 1


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"max_rows": 0}, "greater than 0"),
        ({"max_rows": -2, "age_in_days": -1}, "max_rows"),
        ({"age_in_days": -1}, "negative"),
        ({"age_in_days": 10**6}, "epoch"),
        ({"age_in_days": "30"}, "age_in_days"),
        ({"ages": 30}, "ages"),
    ],
)
def test_a_purge_that_makes_no_sense_is_a_bad_request(
    installation: Installation, order: dict[str, Any], reason: str
) -> None:
    answer = installation.post(PATH, {"purge": order})
    assert fault(answer) == (400, "badRequest")
    assert reason in answer.text


def test_only_an_administrator_may_purge(installation: Installation) -> None:
    assert fault(installation.post(PATH, {"purge": {}}, user="demo")) == (403, "forbidden")
    assert fault(installation.post(PATH, {"purge": {}}, user=None)) == (401, "unauthorized")


def test_a_purge_is_posted(installation: Installation) -> None:
    assert fault(installation.get(PATH)) == (405, "badMethod")
    assert fault(installation.get("/function/purge")) == (405, "badMethod")


def test_a_tick_purges_as_the_settings_say(installation: Installation, segment: dict[str, Any]) -> None:
    hosts = [installation.host(segment) for _ in range(2)]
    old, young = (closed(installation, installation.notification(host)) for host in hosts)
    age(installation, old, 31)
    assert installation.tick("purge").status_code == 204
    shown = [installation.get(f"/v1/notifications/{n['notification_uuid']}").status_code for n in (old, young)]
    assert shown == [404, 200]
