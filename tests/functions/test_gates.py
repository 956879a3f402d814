"""Pauses, approvals and the decision log over HTTP: who may decide over recoveries, and what is kept of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.functions.conftest import Installation, closed, fault

PAUSES, APPROVALS = "/v1/x-instance-ha/pauses", "/v1/x-instance-ha/approvals"
DECISIONS = "/v1/x-instance-ha/decisions"


def after(**about: float) -> str:
    """A time to come, without a zone, so in UTC."""
    return (datetime.now(UTC) + timedelta(**about)).replace(tzinfo=None).isoformat()


def pause(installation: Installation, **about: Any) -> Any:
    """Begin a pause as an operator."""
    return installation.post(PAUSES, {"pause": {"reason": "core switch", "until": after(hours=1)} | about})


def say(installation: Installation, uuid: str, verdict: str, **headers: Any) -> Any:
    """Approve or deny a recovery."""
    approval = {"notification_uuid": uuid, "verdict": verdict, "reason": "seen in the rack"}
    return installation.post(APPROVALS, {"approval": approval}, **headers)


@pytest.fixture
def begun(installation: Installation, host: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A pause of a host."""
    made = pause(installation, scope="host", host=host["name"]).json()["pause"]
    yield made
    installation.delete(f"{PAUSES}/{made['uuid']}")


@pytest.fixture
def held(installation: Installation, host: dict[str, Any]) -> Iterator[str]:
    """The uuid of a notification whose recovery a gate holds, and that no function touches."""
    uuid = closed(installation, installation.notification(host, generated_time="2001-01-02"))["notification_uuid"]
    change = (
        "UPDATE notifications SET status = :status, due_at = :due, held_since = :held, held_by = :by "
        "WHERE notification_uuid = :uuid"
    )
    installation.sql(change, status="error", due="2100-01-01", held="2026-01-01", by="{storm_segment}", uuid=uuid)
    installation.sql(
        "INSERT INTO gate_decisions (decided_at, notification_uuid, attempt, gate, verdict, saw, reason) "
        "VALUES (now(), :uuid, 0, 'storm_segment', 'held', '{}', 'too many')",
        uuid=uuid,
    )
    yield uuid
    installation.sql(change, status="finished", due=None, held=None, by="{}", uuid=uuid)


def test_a_pause_says_what_it_is_about_until_when_and_by_whom(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    answers = [
        pause(installation, scope="segment", segment_uuid=segment["uuid"]),
        pause(installation, scope="host", host=host["name"]),
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    of_segment, of_host = (answer.json()["pause"] for answer in answers)
    assert (of_segment["scope"], of_segment["segment_uuid"], of_segment["host_uuid"]) == (
        "segment",
        segment["uuid"],
        None,
    )
    assert (of_host["scope"], of_host["segment_uuid"], of_host["host_uuid"]) == ("host", None, host["uuid"])
    assert of_host["actor"] == f"admin ({installation.cloud.identity.users['admin'].id})"
    assert of_host["reason"] == "core switch"
    for one in (of_segment, of_host):
        assert installation.delete(f"{PAUSES}/{one['uuid']}").status_code == 204


def test_a_pause_is_ended_once_and_stays_in_the_list(installation: Installation, begun: dict[str, Any]) -> None:
    assert begun in installation.get(f"{PAUSES}?active=true").json()["pauses"]
    assert installation.delete(f"{PAUSES}/{begun['uuid']}").status_code == 204
    assert fault(installation.delete(f"{PAUSES}/{begun['uuid']}")) == (409, "conflictingRequest")
    assert begun["uuid"] not in str(installation.get(f"{PAUSES}?active=true").json())
    (ended,) = [one for one in installation.get(PAUSES).json()["pauses"] if one["uuid"] == begun["uuid"]]
    assert ended["ended_at"] is not None
    assert ended["ended_by"] == f"admin ({installation.cloud.identity.users['admin'].id})"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"scope": "galaxy"},
        {"scope": "segment"},
        {"scope": "segment", "segment_uuid": "8e0c6a0f-4d8b-4c2a-9a51-29a4ee3d0c6b"},
        {"scope": "host", "host": "nowhere"},
        {"scope": "cloud", "host": "compute1"},
        {"scope": "cloud", "reason": ""},
        {"scope": "cloud", "until": "2001-01-01T00:00:00"},
        {"scope": "cloud", "until": "9999-01-01T00:00:00"},
        {"scope": "cloud", "until": None},
    ],
)
def test_a_pause_that_makes_no_sense_is_refused(installation: Installation, wrong: dict[str, Any]) -> None:
    assert fault(pause(installation, **wrong)) == (400, "badRequest")


def test_no_pause_is_longer_than_a_week(installation: Installation, host: dict[str, Any]) -> None:
    about = {"scope": "host", "host": host["name"]}
    assert fault(pause(installation, **about, until=after(days=7, minutes=1))) == (400, "badRequest")
    made = pause(installation, **about, until=after(days=6, hours=23))
    assert made.status_code == 201
    installation.delete(f"{PAUSES}/{made.json()['pause']['uuid']}")


def test_a_pause_that_is_not_there_cannot_be_ended(installation: Installation) -> None:
    assert fault(installation.delete(f"{PAUSES}/none")) == (404, "itemNotFound")


def test_a_monitor_s_user_may_neither_pause_nor_approve_nor_deny(
    installation: Installation, begun: dict[str, Any], held: str
) -> None:
    as_monitor = {"user": "masakari"}
    body = {"pause": {"scope": "cloud", "reason": "mine", "until": after(hours=1)}}
    assert installation.get(PAUSES, **as_monitor).status_code == 200
    assert installation.post(PAUSES, body, **as_monitor).status_code == 403
    assert installation.delete(f"{PAUSES}/{begun['uuid']}", **as_monitor).status_code == 403
    assert say(installation, held, "approve", **as_monitor).status_code == 403
    assert say(installation, held, "deny", **as_monitor).status_code == 403


def test_an_approval_opens_the_gates_that_hold_now_and_names_who_has_given_it(
    installation: Installation, held: str
) -> None:
    answer = say(installation, held, "approve")
    assert answer.status_code == 201
    stored = answer.json()["approval"]
    assert (stored["verdict"], stored["gates"], stored["reason"]) == ("approve", ["storm_segment"], "seen in the rack")
    assert stored["actor"] == f"admin ({installation.cloud.identity.users['admin'].id})"
    assert installation.get(f"{APPROVALS}?notification_uuid={held}").json()["approvals"] == [stored]


def test_a_denial_opens_no_gate(installation: Installation, held: str) -> None:
    assert say(installation, held, "deny").json()["approval"]["gates"] == []


def test_what_no_gate_holds_is_not_approved(installation: Installation, held: str) -> None:
    installation.sql("UPDATE notifications SET held_by = '{}' WHERE notification_uuid = :uuid", uuid=held)
    assert fault(say(installation, held, "approve")) == (409, "conflictingRequest")
    assert say(installation, held, "deny").status_code == 201


def test_what_is_not_held_is_neither_approved_nor_denied(installation: Installation, host: dict[str, Any]) -> None:
    uuid = closed(installation, installation.notification(host, generated_time="2001-01-03"))["notification_uuid"]
    for verdict in ("approve", "deny"):
        assert fault(say(installation, uuid, verdict)) == (409, "conflictingRequest")


def test_an_approval_of_nothing_is_refused(installation: Installation) -> None:
    assert fault(say(installation, "8e0c6a0f-4d8b-4c2a-9a51-29a4ee3d0c6b", "approve")) == (400, "badRequest")
    assert fault(installation.post(APPROVALS, {"approval": {"verdict": "approve"}})) == (400, "badRequest")


def test_the_decision_log_is_listed_by_notification_the_newest_first(installation: Installation, held: str) -> None:
    installation.sql(
        "INSERT INTO gate_decisions (decided_at, notification_uuid, attempt, gate, verdict, saw) "
        "VALUES (now(), :uuid, 0, 'rate', 'open', '{\"begun\": 2}')",
        uuid=held,
    )
    newer, older = installation.get(f"{DECISIONS}?notification_uuid={held}").json()["decisions"]
    assert (newer["gate"], newer["verdict"], newer["saw"]) == ("rate", "open", {"begun": 2})
    assert (older["gate"], older["verdict"], older["reason"]) == ("storm_segment", "held", "too many")
    page = f"{DECISIONS}?notification_uuid={held}&limit=1&marker={newer['id']}"
    assert installation.get(page).json()["decisions"] == [older]


def test_an_explanation_names_the_gates_and_what_an_operator_has_said(installation: Installation, held: str) -> None:
    say(installation, held, "deny")
    shown = installation.get(f"/v1/x-instance-ha/explanations/{held}").json()["explanation"]
    because = {one["table"]: one["text"] for one in shown["questions"][0]["because"]}
    assert because["gate_decisions"] == "gate storm_segment: held: too many"
    assert because["approvals"].startswith("denied by user ")
    assert because["approvals"].endswith(": seen in the rack")


def test_a_plan_says_which_gate_would_hold(
    installation: Installation, host: dict[str, Any], begun: dict[str, Any]
) -> None:
    (plan,) = installation.post("/v1/x-instance-ha/plans", {"plan": {"host": host["name"]}}).json()["plans"]
    assert plan["outlook"] == "held"
    assert plan["before"][0]["task"] == "the gates"
    assert plan["before"][0]["text"].startswith(
        f"held: pause: host paused by {begun['actor']}: core switch; it goes on"
    )
