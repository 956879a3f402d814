"""Evidence and policies over HTTP: who may decide over a recovery, and what is kept of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.functions.conftest import Installation, closed, fault

EVIDENCE = "/v1/x-instance-ha/evidence"
EXTERNAL = {"kind": "external", "verdict": "dead", "source": "rack-power"}


def policy(segment: dict[str, Any]) -> str:
    """The path of a segment's policy."""
    return f"/v1/x-instance-ha/policies/{segment['uuid']}"


def post(installation: Installation, **about: Any) -> Any:
    """Post evidence as an operator."""
    return installation.post(EVIDENCE, {"evidence": about})


@pytest.fixture
def recovery(installation: Installation, host: dict[str, Any]) -> Iterator[str]:
    """The uuid of a notification of the host that waits, and that no function touches."""
    uuid = closed(installation, installation.notification(host, generated_time="2001-01-01"))["notification_uuid"]
    change = """UPDATE notifications SET status = :status, due_at = :due, payload = payload || :event
        WHERE notification_uuid = :uuid"""
    installation.sql(change, status="error", due="2100-01-01", uuid=uuid, event='{"event": "STOPPED"}')
    yield uuid
    installation.sql(change, status="finished", due=None, uuid=uuid, event='{"event": "STARTED"}')  # or it is a storm


def test_a_segment_has_the_policy_of_masakari_until_it_is_changed(
    installation: Installation, segment: dict[str, Any]
) -> None:
    assert installation.get(policy(segment)).json()["policy"] == {
        "segment_uuid": segment["uuid"],
        "dead_when": [["service_down"]],
        "local_disk": "evacuate",
        "fence": "never",
        "mode": "auto",
        "returns": "manual",
        "updated_at": None,
        "actor": None,
    }


def test_a_policy_is_changed_in_part_and_names_who_has_changed_it(
    installation: Installation, segment: dict[str, Any]
) -> None:
    sets = [["power_off", "service_down"], ["confirmed"]]
    assert installation.put(policy(segment), {"policy": {"dead_when": sets}}).status_code == 200
    assert installation.put(policy(segment), {"policy": {"fence": "required"}}).status_code == 200
    changed = installation.put(policy(segment), {"policy": {"local_disk": "hold"}}).json()["policy"]
    assert (changed["dead_when"], changed["local_disk"], changed["fence"]) == (sets, "hold", "required")
    assert changed["actor"] == f"admin ({installation.cloud.identity.users['admin'].id})"
    assert installation.get(policy(segment)).json()["policy"] == changed


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"dead_when": []},
        {"dead_when": [[]]},
        {"dead_when": [["rumour"]]},
        {"local_disk": "burn"},
        {"fence": "maybe"},
        {"mode": "dream"},
        {"more": 1},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(
    installation: Installation, segment: dict[str, Any], wrong: dict[str, Any]
) -> None:
    assert fault(installation.put(policy(segment), {"policy": wrong})) == (400, "badRequest")


def test_there_is_no_policy_of_a_segment_that_is_not_there(installation: Installation) -> None:
    assert installation.get("/v1/x-instance-ha/policies/none").status_code == 404
    assert installation.put("/v1/x-instance-ha/policies/none", {"policy": {"local_disk": "hold"}}).status_code == 404


def test_a_monitor_s_user_may_report_and_neither_confirm_nor_change_a_policy(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    as_monitor = {"user": "masakari"}
    assert installation.get(policy(segment), **as_monitor).status_code == 200
    assert installation.put(policy(segment), {"policy": {"local_disk": "hold"}}, **as_monitor).status_code == 403
    confirmed = {"host": host["name"], "kind": "confirmed", "reason": "I say so"}
    assert installation.post(EVIDENCE, {"evidence": confirmed}, **as_monitor).status_code == 403
    external = EXTERNAL | {"host": host["name"]}
    assert installation.post(EVIDENCE, {"evidence": external}, **as_monitor).status_code == 403


def test_a_death_is_confirmed_with_a_reason_and_for_one_recovery(
    installation: Installation, host: dict[str, Any], recovery: str
) -> None:
    answer = post(installation, host=host["name"], kind="confirmed", reason="seen in the rack")
    assert answer.status_code == 201
    stored = answer.json()["evidence"]
    assert (stored["kind"], stored["verdict"], stored["host_uuid"]) == ("confirmed", "dead", host["uuid"])
    assert stored["detail"] == {"reason": "seen in the rack"}
    assert stored["actor"] == f"admin ({installation.cloud.identity.users['admin'].id})"
    assert stored["notification_uuid"] == recovery


def test_a_death_that_nobody_has_reported_is_not_confirmed(installation: Installation, host: dict[str, Any]) -> None:
    answer = post(installation, host=host["name"], kind="confirmed", reason="seen in the rack")
    assert fault(answer) == (409, "conflictingRequest")


def test_a_system_of_the_operator_s_own_adds_what_it_sees(installation: Installation, host: dict[str, Any]) -> None:
    answer = post(installation, host=host["name"], **EXTERNAL)
    assert answer.status_code == 201
    assert answer.json()["evidence"]["source"] == "rack-power"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "power_off", "verdict": "dead", "source": "me"},
        {"kind": "confirmed"},
        {"kind": "confirmed", "reason": "yes", "valid_for": 10**9},
        {"kind": "external", "verdict": "perhaps", "source": "me"},
    ],
)
def test_evidence_that_makes_no_sense_is_refused(
    installation: Installation, host: dict[str, Any], wrong: dict[str, Any]
) -> None:
    assert fault(post(installation, host=host["name"], **wrong)) == (400, "badRequest")


def test_evidence_of_an_unknown_host_is_refused(installation: Installation) -> None:
    assert fault(post(installation, host="nowhere", **EXTERNAL)) == (400, "badRequest")


def test_evidence_is_listed_by_host_the_newest_first(installation: Installation, host: dict[str, Any]) -> None:
    added = [post(installation, host=host["name"], **EXTERNAL).json()["evidence"] for _ in range(3)]
    for named in (host["name"], host["uuid"]):
        assert installation.get(f"{EVIDENCE}?host={named}").json()["evidence"] == added[::-1]
    page = installation.get(f"{EVIDENCE}?host={host['name']}&limit=1&marker={added[1]['id']}").json()["evidence"]
    assert page == [added[0]]
    assert installation.get(f"{EVIDENCE}?host=nowhere").json()["evidence"] == []
