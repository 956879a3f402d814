"""Notifications and their vmoves."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.functions.conftest import Installation, closed, fault, report, unique

VM = {"instance_uuid": "9f0b4a2c1de84c7aa8a1f3f8a5b0c1d2", "event": "LIFECYCLE", "vir_domain_event": "STOPPED_FAILED"}
PROCESS = {"event": "STOPPED", "process_name": "nova-compute"}
PATH = "/v1/notifications"


def send(installation: Installation, body: dict[str, Any]) -> Any:
    """Send a report."""
    return installation.post(PATH, {"notification": body})


def test_a_report_is_accepted_and_answered_whole(installation: Installation, host: dict[str, Any]) -> None:
    answer = send(installation, report(host["name"]))
    shown = answer.json()["notification"]
    variable = {"id", "notification_uuid", "created_at", "message"}
    assert answer.status_code == 202
    assert {key: shown[key] for key in shown if key not in variable} == {
        "generated_time": "2026-11-22T03:00:00.000000",
        "source_host_uuid": host["uuid"],
        "type": "COMPUTE_HOST",
        "payload": report("")["payload"],
        "status": "new",
        "failover_segment_uuid": host["failover_segment_id"],
        "updated_at": None,
        "deleted_at": None,
        "deleted": False,
    }


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-11-22T03:00:00", "2026-11-22T03:00:00.000000"),
        ("2026-11-22 03:00:00.25", "2026-11-22T03:00:00.250000"),
        ("2026-11-22T03:00:00Z", "2026-11-22T03:00:00.000000"),
        ("2026-11-22T03:00:00+05:30", "2026-11-21T21:30:00.000000"),
        ("2026-11-22", "2026-11-22T00:00:00.000000"),
    ],
)
def test_a_generated_time_is_shown_in_utc_without_a_zone(
    installation: Installation, host: dict[str, Any], given: str, shown: str
) -> None:
    assert shown == installation.notification(host, generated_time=given)["generated_time"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "COMPUTE_NODE"},
        {"type": None},
        {"type": []},
        {"hostname": ""},
        {"hostname": "a b"},
        {"hostname": None},
        {"generated_time": 1700000000},
        {"generated_time": "yesterday"},
        {"generated_time": None},
        {"generated_time": "0001-01-01T00:00:00+10:00"},
        {"payload": None},
        {"payload": {}},
        {"payload": {"event": "stopped"}},
        {"payload": {"event": "STOPPED", "host_status": "GOOD"}},
        {"payload": {"event": "STOPPED", "more": "1"}},
        {"status": "new"},
        {"type": "VM"},
        {"type": "VM", "payload": VM | {"instance_uuid": "vm"}},
        {"type": "VM", "payload": VM | {"event": ""}},
        {"type": "VM", "payload": VM | {"event": "a\x00b"}},
        {"type": "VM", "payload": VM | {"vir_domain_event": "\ud800"}},
        {"type": "PROCESS", "payload": PROCESS | {"event": "stopped"}},
        {"type": "PROCESS", "payload": PROCESS | {"process_name": "x" * 256}},
        {"type": "PROCESS", "payload": PROCESS | {"process_name": "a\x00b"}},
    ],
    ids=str,
)
def test_a_wrong_report_is_a_bad_request(
    installation: Installation, host: dict[str, Any], wrong: dict[str, Any]
) -> None:
    assert fault(send(installation, report(host["name"]) | wrong)) == (400, "badRequest")


@pytest.mark.parametrize("missing", sorted(report("")))
def test_a_report_that_lacks_something_is_a_bad_request(
    installation: Installation, host: dict[str, Any], missing: str
) -> None:
    body = {key: value for key, value in report(host["name"]).items() if key != missing}
    assert fault(send(installation, body)) == (400, "badRequest")


@pytest.mark.parametrize(("kind", "payload"), [("VM", VM), ("PROCESS", PROCESS)])
def test_failures_of_instances_and_processes_are_accepted(
    installation: Installation, host: dict[str, Any], kind: str, payload: dict[str, str]
) -> None:
    shown = installation.notification(host, type=kind, payload=payload)
    assert payload == shown["payload"]


def test_a_report_of_a_host_in_no_segment_is_a_bad_request(installation: Installation) -> None:
    assert fault(send(installation, report(unique("stranger")))) == (400, "badRequest")


def test_a_report_of_a_deleted_host_is_a_bad_request(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    installation.delete(f"/v1/segments/{segment['uuid']}/hosts/{host['uuid']}")
    assert fault(send(installation, report(host["name"]))) == (400, "badRequest")


def _end(installation: Installation, notification: dict[str, Any], status: str) -> None:
    """Let a recovery have ended so, with its host on maintenance."""
    uuid, host = notification["notification_uuid"], notification["source_host_uuid"]
    closed(installation, notification)
    ended = "UPDATE notifications SET status = :status, attempt = 1, updated_at = now(), due_at = NULL"
    installation.sql(f"{ended} WHERE notification_uuid = :uuid", uuid=uuid, status=status)
    maintenance = "UPDATE hosts SET on_maintenance = true, on_maintenance_for = :uuid WHERE uuid = :host"
    installation.sql(maintenance, uuid=uuid, host=host)


def _later() -> str:
    """A time after the end of every recovery so far."""
    return (datetime.now(UTC) + timedelta(minutes=1)).isoformat()


@pytest.mark.parametrize(("status", "code"), [("failed", 202), ("ignored", 202), ("finished", 409)])
def test_a_host_is_reported_again_after_a_recovery_without_success_though_that_has_put_it_on_maintenance(
    installation: Installation, host: dict[str, Any], status: str, code: int
) -> None:
    _end(installation, installation.notification(host), status)
    assert send(installation, report(host["name"], generated_time=_later())).status_code == code


def test_the_death_of_a_host_is_accepted_though_it_is_on_maintenance_for_its_nova_compute(
    installation: Installation, host: dict[str, Any]
) -> None:
    _end(installation, installation.notification(host, type="PROCESS", payload=PROCESS), "finished")
    assert send(installation, report(host["name"], type="VM", payload=VM)).status_code == 409
    assert send(installation, report(host["name"])).status_code == 202


def test_maintenance_that_an_operator_sets_anew_is_the_operators(
    installation: Installation, host: dict[str, Any]
) -> None:
    _end(installation, installation.notification(host), "failed")
    path = f"/v1/segments/{host['failover_segment_id']}/hosts/{host['uuid']}"
    installation.put(path, {"host": {"on_maintenance": True}})
    assert send(installation, report(host["name"], generated_time=_later())).status_code == 409


def test_an_instance_that_fails_again_after_its_recovery_has_ended_is_a_new_failure(
    installation: Installation, host: dict[str, Any]
) -> None:
    first = installation.notification(host, type="VM", payload=VM)
    closed(installation, first)
    ended = "UPDATE notifications SET status = 'finished', attempt = 1 WHERE notification_uuid = :uuid"
    installation.sql(ended, uuid=first["notification_uuid"])
    again = report(host["name"], type="VM", payload=VM, generated_time=_later())
    assert send(installation, again).status_code == 202


def test_a_report_of_a_host_on_maintenance_is_a_conflict(installation: Installation, segment: dict[str, Any]) -> None:
    host = installation.host(segment, on_maintenance=True)
    assert fault(send(installation, report(host["name"]))) == (409, "conflictingRequest")


def test_an_equal_report_is_a_conflict_that_names_the_first(installation: Installation, host: dict[str, Any]) -> None:
    first = installation.notification(host)
    second = send(installation, report(host["name"]))
    assert fault(second) == (409, "conflictingRequest")
    assert first["notification_uuid"] in second.text


@pytest.mark.parametrize(
    "spelled", [VM["instance_uuid"].upper(), UUID(VM["instance_uuid"]).urn, f"{{{VM['instance_uuid']}}}"]
)
def test_an_equal_report_is_a_conflict_however_the_uuid_of_its_instance_is_spelled(
    installation: Installation, host: dict[str, Any], spelled: str
) -> None:
    installation.notification(host, type="VM", payload=VM)
    again = report(host["name"], type="VM", payload=VM | {"instance_uuid": spelled})
    assert send(installation, again).status_code == 409
    other = report(host["name"], type="VM", payload=VM | {"instance_uuid": str(uuid4())})
    assert send(installation, other).status_code == 202


def test_a_report_with_another_payload_is_no_duplicate(installation: Installation, host: dict[str, Any]) -> None:
    installation.notification(host)
    payload = {"event": "STARTED", "host_status": "UNKNOWN"}
    assert send(installation, report(host["name"], payload=payload)).status_code == 202


def test_of_two_equal_reports_at_the_same_instant_one_is_accepted_and_one_is_a_conflict(
    installation: Installation, segment: dict[str, Any]
) -> None:
    for _ in range(5):
        body = report(installation.host(segment)["name"])
        together = threading.Barrier(2)

        def both(body: dict[str, Any] = body, together: threading.Barrier = together) -> int:
            together.wait()
            return int(send(installation, body).status_code)

        with ThreadPoolExecutor(2) as pool:
            codes = [future.result() for future in [pool.submit(both), pool.submit(both)]]
        assert sorted(codes) == [202, 409]


def test_a_report_in_a_disabled_segment_is_accepted_and_then_ignored(installation: Installation) -> None:
    segment = installation.segment(enabled=False)
    shown = installation.notification(installation.host(segment))
    assert shown["status"] == "new"
    assert closed(installation, shown)["status"] == "ignored"


@pytest.mark.parametrize("path", ["/nobody", "/%00", "/nobody/vmoves", "/nobody/vmoves/x"])
def test_an_unknown_notification_is_not_found(installation: Installation, path: str) -> None:
    assert fault(installation.get(PATH + path)) == (404, "itemNotFound")


@pytest.mark.parametrize("what", ["vmoves", "vmoves/x"])
def test_only_host_failures_have_vmoves(installation: Installation, host: dict[str, Any], what: str) -> None:
    shown = installation.notification(host, type="VM", payload=VM)
    assert fault(installation.get(f"{PATH}/{shown['notification_uuid']}/{what}")) == (400, "badRequest")


def test_notifications_are_filtered(installation: Installation, host: dict[str, Any]) -> None:
    early = installation.notification(host, generated_time="2026-11-20T00:00:00")
    late = installation.notification(host, type="VM", payload=VM, generated_time="2026-11-22T00:00:00")
    closed(installation, early)
    closed(installation, late)

    def found(query: str) -> list[int]:
        answer = installation.get(f"{PATH}?source_host_uuid={host['uuid']}&{query}")
        return [one["id"] for one in answer.json()["notifications"]]

    assert [late["id"], early["id"]] == found("")
    assert [late["id"]] == found("type=VM")
    assert [early["id"]] == found("status=finished")
    assert found("status=unknown") == []
    assert [late["id"]] == found("generated-since=2026-11-22")
    assert [late["id"]] == found("generated-since=2026-11-22T02:00:00%2B02:00")
    assert found("generated-since=2026-11-22T00:00:01") == []
    assert [late["id"], early["id"]] == found("generated_since=2026-11-22")
    assert [late["id"]] == found(f"marker={early['notification_uuid']}&sort_dir=asc")
    assert [early["id"]] == found(f"marker={late['id']}")


def test_a_generated_since_that_is_no_time_is_a_bad_request(installation: Installation) -> None:
    assert fault(installation.get(f"{PATH}?generated-since=soon")) == (400, "badRequest")


def test_an_internal_column_sorts_without_an_error(installation: Installation, host: dict[str, Any]) -> None:
    shown = installation.notification(host)
    for key in ("payload", "lease_owner", "due_at"):
        answer = installation.get(f"{PATH}?sort_key={key}&marker={shown['id']}")
        assert answer.status_code == 200, key


@pytest.fixture(scope="module")
def recovered(installation: Installation) -> dict[str, Any]:
    """The notification of a host that died with two instances, after its recovery."""
    segment = installation.segment()
    dead, other = installation.host(segment), installation.host(segment)
    installation.cloud.boot(dead["name"], ["db", "web"])
    installation.cloud.kill_host(dead["name"])
    payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
    shown = closed(installation, installation.notification(dead, payload=payload))
    return shown | {"dead": dead, "other": other}


def test_a_dead_host_is_recovered_and_the_message_counts_its_instances(recovered: dict[str, Any]) -> None:
    assert (recovered["status"], recovered["message"]) == ("finished", "2 of 2 instances evacuated")


def test_from_1_1_on_a_notification_shows_the_progress_of_its_recovery(
    installation: Installation, recovered: dict[str, Any]
) -> None:
    shown = installation.get(f"{PATH}/{recovered['notification_uuid']}", version="1.1").json()["notification"]
    tasks = shown["recovery_workflow_details"]
    names = ["DisableComputeServiceTask", "PrepareHAEnabledInstancesTask", "EvacuateInstancesTask"]
    assert [(name, "SUCCESS", 1.0) for name in names] == [(t["name"], t["state"], t["progress"]) for t in tasks]
    line = tasks[0]["progress_details"][0]
    assert line["progress"] == "0.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", line["timestamp"])


def test_why_a_recovery_did_not_succeed_stands_last_where_stock_clients_show_it(
    installation: Installation, host: dict[str, Any]
) -> None:
    unknown = {"event": "STOPPED", "host_status": "UNKNOWN", "cluster_status": "ONLINE"}
    ignored = closed(installation, installation.notification(host, payload=unknown))
    path = f"{PATH}/{ignored['notification_uuid']}"
    last = installation.get(path, version="1.1").json()["notification"]["recovery_workflow_details"][-1]
    lines = [line["message"] for line in last["progress_details"]]
    assert (last["name"], last["state"], lines) == ("Reason", "SUCCESS", [ignored["message"]])
    long = "No valid host was found. " + "x" * 1000
    installation.sql(
        "UPDATE notifications SET status = 'failed', message = :long WHERE notification_uuid = :uuid",
        uuid=ignored["notification_uuid"],
        long=long,
    )
    last = installation.get(path, version="1.1").json()["notification"]["recovery_workflow_details"][-1]
    (line,) = last["progress_details"]
    assert (last["state"], line["message"]) == ("FAILURE", f"{long[:254]}…")


def test_what_a_recovery_waits_for_stands_there_too(installation: Installation, host: dict[str, Any]) -> None:
    waiting, said = closed(installation, installation.notification(host)), "waiting until Nova calls it down"
    installation.sql(
        "UPDATE notifications SET status = 'new', message = :said WHERE notification_uuid = :uuid",
        uuid=waiting["notification_uuid"],
        said=said,
    )
    path = f"{PATH}/{waiting['notification_uuid']}"
    last = installation.get(path, version="1.1").json()["notification"]["recovery_workflow_details"][-1]
    (line,) = last["progress_details"]
    assert (last["name"], last["state"], line["progress"], line["message"]) == ("Reason", "RUNNING", "0.0", said)


def test_below_1_1_and_in_lists_there_is_no_progress(installation: Installation, recovered: dict[str, Any]) -> None:
    path = f"{PATH}/{recovered['notification_uuid']}"
    assert "recovery_workflow_details" not in installation.get(path, version="1.0").json()["notification"]
    listed = installation.get(f"{PATH}?limit=5").json()["notifications"]
    assert not any("recovery_workflow_details" in one for one in listed)


def vmoves(installation: Installation, recovered: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    """List the vmoves."""
    path = f"{PATH}/{recovered['notification_uuid']}/vmoves?{query}"
    return list(installation.get(path).json()["vmoves"])


def test_each_evacuated_instance_has_a_vmove(installation: Installation, recovered: dict[str, Any]) -> None:
    moves = vmoves(installation, recovered)
    assert {"db", "web"} == {move["instance_name"] for move in moves}
    assert {"succeeded"} == {move["status"] for move in moves}
    assert {"evacuation"} == {move["type"] for move in moves}
    assert {recovered["dead"]["name"]} == {move["source_host"] for move in moves}
    assert all(move["dest_host"] not in {None, recovered["dead"]["name"]} for move in moves)
    assert all(move["start_time"] < move["end_time"] for move in moves)


def test_vmoves_are_filtered_and_paged(installation: Installation, recovered: dict[str, Any]) -> None:
    assert len(vmoves(installation, recovered, "status=succeeded&type=evacuation")) == 2
    assert vmoves(installation, recovered, "status=failed") == []
    (first,) = vmoves(installation, recovered, "limit=1")
    (second,) = vmoves(installation, recovered, f"limit=1&marker={first['uuid']}")
    assert {"db", "web"} == {first["instance_name"], second["instance_name"]}


def test_a_vmove_is_shown_as_it_is_listed(installation: Installation, recovered: dict[str, Any]) -> None:
    move = vmoves(installation, recovered)[0]
    path = f"{PATH}/{recovered['notification_uuid']}/vmoves"
    assert move == installation.get(f"{path}/{move['uuid']}").json()["vmove"]
    assert fault(installation.get(f"{path}/nobody")) == (404, "itemNotFound")


def test_a_vmove_of_another_notification_is_not_found(
    installation: Installation, recovered: dict[str, Any], host: dict[str, Any]
) -> None:
    other = installation.notification(host)["notification_uuid"]
    move = vmoves(installation, recovered)[0]
    assert fault(installation.get(f"{PATH}/{other}/vmoves/{move['uuid']}")) == (404, "itemNotFound")


def test_vmoves_answer_at_1_0_too(installation: Installation, recovered: dict[str, Any]) -> None:
    path = f"{PATH}/{recovered['notification_uuid']}/vmoves"
    assert installation.get(path, version="1.0").status_code == 200


def test_a_recovered_host_is_on_maintenance(installation: Installation, recovered: dict[str, Any]) -> None:
    dead = recovered["dead"]
    shown = installation.get(f"/v1/segments/{dead['failover_segment_id']}/hosts/{dead['uuid']}")
    assert shown.json()["host"]["on_maintenance"] is True
