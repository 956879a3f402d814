"""Hosts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
import requests
from instance_ha.store import hosts, notifications, segments
from instance_ha_simulator.cloud.faults import Rule

from tests.functions.conftest import Installation, fault, report, unique
from tests.unit.build import NOW, STOPPED

BODY = {"type": "COMPUTE", "control_attributes": "SSH"}


def path(segment: dict[str, Any], host: dict[str, Any] | None = None) -> str:
    """The path of the hosts of a segment, or of one."""
    return f"/v1/segments/{segment['uuid']}/hosts" + (f"/{host['uuid']}" if host else "")


def test_a_created_host_is_answered_with_its_segment(installation: Installation, segment: dict[str, Any]) -> None:
    host = installation.host(segment)
    assert segment == host["failover_segment"]
    assert segment["uuid"] == host["failover_segment_id"]
    assert (host["reserved"], host["on_maintenance"]) == (False, False)


def test_a_host_is_shown_as_it_was_created(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    assert host == installation.get(path(segment, host)).json()["host"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": None},
        {"type": "COMPUTE_HOST"},
        {"type": "x" * 256},
        {"control_attributes": None},
        {"control_attributes": "a\tb"},
        {"name": None},
        {"reserved": 1},
        {"on_maintenance": None},
        {"failover_segment_id": "other"},
    ],
    ids=str,
)
def test_a_wrong_or_null_property_is_a_bad_request(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any], wrong: dict[str, Any]
) -> None:
    created = installation.post(path(segment), {"host": {"name": unique("c")} | BODY | wrong})
    changed = installation.put(path(segment, host), {"host": wrong})
    assert [fault(created), fault(changed)] == [(400, "badRequest")] * 2


def test_words_for_booleans_are_understood(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    changed = installation.put(path(segment, host), {"host": {"reserved": "yes", "on_maintenance": "off"}})
    assert tuple(changed.json()["host"][key] for key in ("reserved", "on_maintenance")) == (True, False)


def test_a_host_that_nova_does_not_know_is_a_bad_request(installation: Installation, segment: dict[str, Any]) -> None:
    answer = installation.post(path(segment), {"host": {"name": unique("unknown")} | BODY})
    assert fault(answer) == (400, "badRequest")


def test_a_change_to_a_name_that_nova_does_not_know_is_a_bad_request(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    answer = installation.put(path(segment, host), {"host": {"name": unique("unknown")}})
    assert fault(answer) == (400, "badRequest")


def test_in_an_unknown_segment_nothing_is_found(installation: Installation, host: dict[str, Any]) -> None:
    nowhere = {"uuid": "nowhere"}
    answers = [installation.get(path(nowhere)), installation.get(path(nowhere, host))]
    answers.append(installation.post(path(nowhere), {"host": {"name": host["name"]} | BODY}))
    assert [fault(answer) for answer in answers] == [(404, "itemNotFound")] * 3


def test_a_host_of_another_segment_is_not_found(installation: Installation, host: dict[str, Any]) -> None:
    other = installation.segment()
    assert fault(installation.get(path(other, host))) == (404, "itemNotFound")
    assert fault(installation.put(path(other, host), {"host": {"reserved": True}})) == (404, "itemNotFound")
    assert fault(installation.delete(path(other, host))) == (404, "itemNotFound")


def test_a_host_name_is_in_use_in_its_own_segment(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    answer = installation.post(path(segment), {"host": {"name": host["name"]} | BODY})
    assert fault(answer) == (409, "conflictingRequest")


def test_a_host_name_is_in_use_in_any_other_segment(installation: Installation, host: dict[str, Any]) -> None:
    answer = installation.post(path(installation.segment()), {"host": {"name": host["name"]} | BODY})
    assert fault(answer) == (409, "conflictingRequest")


def test_a_change_to_a_host_name_in_use_is_a_conflict(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    other = installation.host(segment)
    answer = installation.put(path(segment, other), {"host": {"name": host["name"]}})
    assert fault(answer) == (409, "conflictingRequest")


def test_a_deleted_host_is_gone_and_its_name_is_free(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    answer = installation.delete(path(segment, host))
    assert (answer.status_code, answer.text) == (204, "")
    assert installation.get(path(segment, host)).status_code == 404
    again = installation.post(path(segment), {"host": {"name": host["name"]} | BODY})
    assert again.status_code == 201


@pytest.mark.usefixtures("under_recovery")
@pytest.mark.parametrize(("method", "body"), [("PUT", {"host": {"reserved": True}}), ("DELETE", None)])
def test_no_host_of_a_segment_under_recovery_is_changed(
    installation: Installation, segment: dict[str, Any], method: str, body: Any
) -> None:
    healthy = installation.host(segment)
    answer = installation.call(method, path(segment, healthy), body)
    assert fault(answer) == (409, "conflictingRequest")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("reserved=True", 1),
        ("reserved=n", 2),
        ("on_maintenance=1", 1),
        ("type=SPECIAL", 1),
        ("type=unknown", 0),
        ("control_attributes=IPMI", 1),
        ("failover_segment_id=other", 3),
    ],
)
def test_hosts_are_filtered(installation: Installation, segment: dict[str, Any], query: str, count: int) -> None:
    installation.host(segment, reserved=True)
    installation.host(segment, on_maintenance=True, type="SPECIAL")
    installation.host(segment, control_attributes="IPMI")
    assert count == len(installation.get(f"{path(segment)}?{query}").json()["hosts"])


def test_a_boolean_filter_that_is_no_boolean_is_a_bad_request(
    installation: Installation, segment: dict[str, Any]
) -> None:
    assert fault(installation.get(f"{path(segment)}?reserved=maybe")) == (400, "badRequest")


def test_hosts_are_listed_newest_first_and_paged(installation: Installation, segment: dict[str, Any]) -> None:
    ids = [installation.host(segment)["id"] for _ in range(3)]
    first = installation.get(f"{path(segment)}?limit=2").json()["hosts"]
    rest = installation.get(f"{path(segment)}?limit=2&marker={first[-1]['uuid']}").json()["hosts"]
    assert ids[::-1] == [host["id"] for host in first + rest]


def test_a_marker_of_another_segment_is_a_bad_request(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    stranger = installation.host(installation.segment())
    assert fault(installation.get(f"{path(segment)}?marker={stranger['id']}")) == (400, "badRequest")


@pytest.mark.parametrize(
    "rule",
    [Rule(path="os-services", drop=True), Rule(path="os-services", status=503), Rule(path="os-services", status=403)],
    ids=["breaks-off", "503", "403"],
)
def test_while_nova_does_not_answer_a_host_is_created_later(
    installation: Installation, segment: dict[str, Any], rule: Rule
) -> None:
    installation.cloud.faults.add(rule)
    try:
        answer = installation.post(path(segment), {"host": {"name": unique("compute")} | BODY})
    finally:
        installation.cloud.faults.clear()
    assert fault(answer) == (503, "serviceUnavailable")
    assert answer.headers["Retry-After"] == "5"


def test_after_all_tokens_expired_nova_is_asked_with_a_new_one(
    installation: Installation, segment: dict[str, Any]
) -> None:
    installation.host(segment)
    with installation.cloud.world():
        installation.cloud.identity.expire_all()
    installation.token("admin", fresh=True)
    installation.token("demo", fresh=True)
    assert installation.host(segment)["failover_segment"] == segment


CHANGES: dict[str, Callable[[Installation, str, str], requests.Response]] = {
    "rename the host": lambda api, segment, host: api.put(f"{segment}/hosts/{host}", {"host": {"type": "renamed"}}),
    "delete the host": lambda api, segment, host: api.delete(f"{segment}/hosts/{host}"),
    "rename the segment": lambda api, segment, _: api.put(segment, {"segment": {"name": unique("renamed")}}),
    "delete the segment": lambda api, segment, _: api.delete(segment),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_report_at_the_same_instant_keeps_its_host_from_being_changed(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any], change: str
) -> None:
    values = {"generated_time": NOW, "source_host_uuid": host["uuid"], "type": "COMPUTE_HOST", "payload": STOPPED}
    with ThreadPoolExecutor(1) as pool:
        with installation.database.begin() as connection:  # the report, stored and not yet committed
            assert hosts.by_name(connection, host["name"], lock=True) is not None
            notifications.create(connection, values | {"due_at": None}, NOW)
            waits = pool.submit(CHANGES[change], installation, f"/v1/segments/{segment['uuid']}", host["uuid"])
            assert wait([waits], 0.5).not_done
        assert fault(waits.result()) == (409, "conflictingRequest")
    installation.sql("UPDATE notifications SET status = 'ignored' WHERE source_host_uuid = :host", host=host["uuid"])


def test_a_report_by_the_name_that_a_host_has_just_lost_is_refused(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with installation.database.begin() as connection:  # the new name, not yet committed
            segments.find(connection, segment["uuid"], lock=True)
            hosts.change(connection, host["uuid"], {"name": unique("renamed")}, NOW)
            waits = pool.submit(installation.post, "/v1/notifications", {"notification": report(host["name"])})
            assert wait([waits], 0.5).not_done
        assert fault(waits.result()) == (400, "badRequest")
