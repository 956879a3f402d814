"""openstacksdk's `instance_ha` proxy: each method, paging, filters, sorting, versions, addresses."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openstack import exceptions
from openstack.instance_ha.v1._proxy import Proxy

from tests.clients.conftest import Connect, Recovery, catalogue, made_in_turn, rebooted
from tests.clients.recorder import Recorder
from tests.functions.conftest import Installation, report, unique

UNKNOWN = "00000000-0000-0000-0000-000000000000"
STYLES = {"/v1": "/v1", "/v1/": "/v1", "/v1/%(project_id)s": "/v1/{project}", "/": "/v1"}


def make_segment(ha: Any, **about: Any) -> Any:
    """Have a segment, by the client."""
    return ha.create_segment(**{"name": unique("sdk"), "recovery_method": "auto", "service_type": "COMPUTE"} | about)


def test_no_method_of_the_proxy_is_forgotten_here() -> None:
    used = set(re.findall(r"\bha\.(\w+)\(", Path(__file__).read_text())) - {"post"}  # which every proxy has
    assert {name for name in vars(Proxy) if not name.startswith("_")} - {"api_version"} == used


def test_a_segment_is_created_shown_changed_and_deleted(ha: Any, recorder: Recorder) -> None:
    name = unique("sdk")
    made = ha.create_segment(name=name, recovery_method="auto", service_type="COMPUTE", is_enabled=False)
    assert recorder.bodies("POST") == [
        {"segment": {"name": name, "recovery_method": "auto", "service_type": "COMPUTE", "enabled": False}}
    ]
    assert (made.name, made.is_enabled, made.description) == (name, False, None)

    shown = ha.get_segment(made.uuid)
    assert (shown.uuid, shown.id, shown.created_at) == (made.uuid, made.id, made.created_at)

    changed = ha.update_segment(made.uuid, description="rack 4", is_enabled=True)
    assert recorder.bodies("PUT") == [{"segment": {"description": "rack 4", "enabled": True}}]
    assert (changed.description, changed.is_enabled, changed.name) == ("rack 4", True, name)

    assert ha.delete_segment(made.uuid, ignore_missing=False) is not None
    with pytest.raises(exceptions.NotFoundException):
        ha.get_segment(made.uuid)


def test_a_host_is_created_shown_changed_and_deleted(
    installation: Installation, ha: Any, recorder: Recorder, segment: dict[str, Any]
) -> None:
    name = unique("compute")
    installation.cloud.add_host(name)
    about = {"name": name, "type": "COMPUTE", "control_attributes": "SSH"}
    made = ha.create_host(segment["uuid"], **about, reserved=False, on_maintenance=False)
    assert recorder.bodies("POST") == [{"host": about | {"reserved": False, "on_maintenance": False}}]
    assert (made.name, made.reserved, made.failover_segment_id) == (name, False, segment["uuid"])

    assert ha.get_host(made.uuid, segment["uuid"]).id == made.id

    changed = ha.update_host(made.uuid, segment["uuid"], reserved=True, control_attributes="IPMI")
    assert recorder.bodies("PUT") == [{"host": {"reserved": True, "control_attributes": "IPMI"}}]
    assert (changed.reserved, changed.control_attributes, changed.type) == (True, "IPMI", "COMPUTE")

    ha.delete_host(made.uuid, segment["uuid"], ignore_missing=False)
    with pytest.raises(exceptions.NotFoundException):
        ha.get_host(made.uuid, segment["uuid"])


@pytest.mark.filterwarnings("ignore:Parameter 'segment_id' has been renamed")
def test_a_segment_may_also_be_named_as_segment_id(ha: Any, segment: dict[str, Any], host: dict[str, Any]) -> None:
    assert ha.get_host(host["uuid"], segment_id=segment["uuid"]).name == host["name"]
    assert [one.uuid for one in ha.hosts(segment_id=segment["uuid"])] == [host["uuid"]]


def test_a_notification_is_created_and_shown(ha: Any, recorder: Recorder, host: dict[str, Any]) -> None:
    about = report(host["name"])
    made = ha.create_notification(**about)
    assert recorder.bodies("POST") == [{"notification": about}]
    assert (made.status, made.source_host_uuid, made.payload) == ("new", host["uuid"], about["payload"])

    shown = ha.get_notification(made.notification_uuid)
    assert (shown.notification_uuid, shown.id, shown.generated_time) == (
        made.notification_uuid,
        made.id,
        "2026-11-22T03:00:00.000000",
    )


def test_a_generated_time_may_be_a_datetime(ha: Any, host: dict[str, Any]) -> None:
    about = report(host["name"]) | {"generated_time": datetime(2026, 11, 22, 3, 0, 0, 250000)}  # noqa: DTZ001
    assert ha.create_notification(**about).generated_time == "2026-11-22T03:00:00.250000"


def test_the_vmoves_of_a_recovery_are_listed_and_shown(ha: Any, recovery: Recovery) -> None:
    listed = list(ha.vmoves(recovery.uuid))
    assert {move.server_id: move.server_name for move in listed} == recovery.servers
    assert {(move.source_host, move.type, move.status) for move in listed} == {
        (recovery.host["name"], "evacuation", "succeeded")
    }
    shown = ha.get_vmove(listed[0].uuid, recovery.uuid)
    assert (shown.id, shown.dest_host, shown.start_time) == (listed[0].id, listed[0].dest_host, listed[0].start_time)


def test_a_status_or_a_deletion_can_be_waited_for(ha: Any, recovery: Recovery) -> None:
    assert ha.wait_for_status(ha.get_notification(recovery.uuid), "finished").status == "finished"
    segment = make_segment(ha)
    ha.delete_segment(segment.uuid)
    ha.wait_for_delete(segment, wait=5)


def test_what_is_not_there_is_not_found_and_its_deletion_is_no_error(ha: Any, segment: dict[str, Any]) -> None:
    for ask in (
        lambda: ha.get_segment(UNKNOWN),
        lambda: ha.get_host(UNKNOWN, segment["uuid"]),
        lambda: ha.get_notification(UNKNOWN),
        lambda: list(ha.vmoves(UNKNOWN)),
        lambda: ha.get_vmove(UNKNOWN, UNKNOWN),
        lambda: ha.update_segment(UNKNOWN, description="x"),
        lambda: ha.delete_segment(UNKNOWN, ignore_missing=False),
        lambda: ha.delete_host(UNKNOWN, segment["uuid"], ignore_missing=False),
    ):
        with pytest.raises(exceptions.NotFoundException):
            ask()
    assert ha.delete_segment(UNKNOWN) is None
    assert ha.delete_host(UNKNOWN, segment["uuid"]) is None


def test_a_plan_is_asked_for_at_the_client_s_address_of_the_service(ha: Any, host: dict[str, Any]) -> None:
    answer = ha.post("/x-instance-ha/plans", json={"plan": {"host": host["name"]}})
    assert [plan["host_uuid"] for plan in answer.json()["plans"]] == [host["uuid"]]


def test_the_reason_of_a_refusal_reaches_the_user(ha: Any, segment: dict[str, Any]) -> None:
    with pytest.raises(exceptions.ConflictException, match=segment["name"]):
        make_segment(ha, name=segment["name"])
    with pytest.raises(exceptions.BadRequestException, match="recovery_method"):
        make_segment(ha, recovery_method="hope")


def test_a_user_without_the_role_admin_is_forbidden(recorder: Recorder, connect: Connect) -> None:
    with pytest.raises(exceptions.ForbiddenException):
        list(connect("demo").instance_ha.segments())


def test_segments_are_paged_by_the_integer_id_of_the_last_one(
    installation: Installation, ha: Any, recorder: Recorder
) -> None:
    kind = unique("kind")
    wanted = made_in_turn(lambda _: installation.segment(service_type=kind), 5)
    found = list(ha.segments(service_type=kind, limit=2))
    assert [one.uuid for one in found] == [one["uuid"] for one in wanted]
    assert pages(recorder, "/v1/segments") == [None, wanted[1]["id"], wanted[3]["id"], wanted[4]["id"]]
    assert {query["service_type"][0] for query in recorder.queries("/v1/segments")} == {kind}


def test_hosts_are_paged_by_the_integer_id_of_the_last_one(
    installation: Installation, ha: Any, recorder: Recorder, segment: dict[str, Any]
) -> None:
    wanted = made_in_turn(lambda _: installation.host(segment), 4)
    found = list(ha.hosts(segment["uuid"], limit=2))
    assert [one.uuid for one in found] == [one["uuid"] for one in wanted]
    assert pages(recorder, f"/v1/segments/{segment['uuid']}/hosts") == [None, wanted[1]["id"], wanted[3]["id"]]


def test_notifications_are_paged_by_the_integer_id_of_the_last_one(
    installation: Installation, ha: Any, recorder: Recorder, host: dict[str, Any]
) -> None:
    wanted = made_in_turn(lambda number: installation.notification(host, **rebooted(number)), 3)
    found = list(ha.notifications(source_host_uuid=host["uuid"], limit=2))
    assert [one.notification_uuid for one in found] == [one["notification_uuid"] for one in wanted]
    assert pages(recorder, "/v1/notifications") == [None, wanted[1]["id"], wanted[2]["id"]]


def test_vmoves_are_paged_by_the_integer_id_of_the_last_one(ha: Any, recorder: Recorder, recovery: Recovery) -> None:
    found = list(ha.vmoves(recovery.uuid, limit=1))
    assert {one.server_id for one in found} == set(recovery.servers)
    path = f"/v1/notifications/{recovery.uuid}/vmoves"
    assert pages(recorder, path) == [None, *(one.id for one in found)]


def pages(recorder: Recorder, path: str) -> list[int | None]:
    """Return the markers that a list was asked for with, one a page."""
    return [int(query["marker"][0]) if "marker" in query else None for query in recorder.queries(path)]


def test_a_marker_may_be_given_to_go_on_from(installation: Installation, ha: Any) -> None:
    kind = unique("kind")
    newest, *rest = made_in_turn(lambda _: installation.segment(service_type=kind), 3)
    found = list(ha.segments(service_type=kind, marker=newest["id"]))
    assert [one.uuid for one in found] == [one["uuid"] for one in rest]


def test_the_integer_id_is_a_marker_but_no_address(ha: Any, segment: dict[str, Any]) -> None:
    with pytest.raises(exceptions.NotFoundException):
        ha.get_segment(segment["id"])


def test_segments_are_filtered(installation: Installation, ha: Any, recorder: Recorder) -> None:
    kind = unique("kind")
    on = installation.segment(service_type=kind)
    off = installation.segment(service_type=kind, enabled=False, recovery_method="reserved_host")
    for given, found, sent in (
        ({"is_enabled": True}, [on], {"enabled": ["True"]}),
        ({"is_enabled": False}, [off], {"enabled": ["False"]}),
        ({"recovery_method": "auto"}, [on], {"recovery_method": ["auto"]}),
        ({"recovery_method": "rh_priority"}, [], {"recovery_method": ["rh_priority"]}),
        ({"name": off["name"]}, [off], {}),  # the client's own filter
    ):
        recorder.exchanges.clear()
        shown = list(ha.segments(service_type=kind, **given))
        assert [one.uuid for one in shown] == [one["uuid"] for one in found], given
        assert recorder.queries("/v1/segments") == [{"service_type": [kind]} | sent]


def test_hosts_are_filtered(installation: Installation, ha: Any, recorder: Recorder, segment: dict[str, Any]) -> None:
    plain = installation.host(segment)
    spare = installation.host(segment, reserved=True, type="SPARE")
    absent = installation.host(segment, on_maintenance=True)
    for given, found, sent in (
        ({"reserved": True}, [spare], {"reserved": ["True"]}),
        ({"reserved": False}, [absent, plain], {"reserved": ["False"]}),
        ({"on_maintenance": True}, [absent], {"on_maintenance": ["True"]}),
        ({"on_maintenance": False}, [spare, plain], {"on_maintenance": ["False"]}),
        ({"type": "SPARE"}, [spare], {"type": ["SPARE"]}),
        (
            {"failover_segment_id": segment["uuid"], "type": "COMPUTE"},
            [absent, plain],
            {"failover_segment_id": [segment["uuid"]], "type": ["COMPUTE"]},
        ),
    ):
        recorder.exchanges.clear()
        shown = list(ha.hosts(segment["uuid"], **given))
        assert [one.uuid for one in shown] == [one["uuid"] for one in found], given
        assert recorder.queries(f"/v1/segments/{segment['uuid']}/hosts") == [sent]


def test_notifications_are_filtered(
    installation: Installation, ha: Any, recorder: Recorder, host: dict[str, Any], recovery: Recovery
) -> None:
    old = installation.notification(host, generated_time="2026-11-20T00:00:00")
    new = installation.notification(host, generated_time="2026-11-21T00:00:00", **rebooted())
    since = "2026-11-21T00:00:00"
    for source, given, found, sent in (
        (host, {}, [new, old], {}),
        (host, {"type": "VM"}, [new], {"type": ["VM"]}),
        (host, {"type": "PROCESS"}, [], {"type": ["PROCESS"]}),
        (host, {"generated_since": since}, [new], {"generated-since": [since]}),
        (host, {"status": "failed"}, [], {"status": ["failed"]}),
        (recovery.host, {"status": "finished"}, [recovery.notification], {"status": ["finished"]}),
    ):
        recorder.exchanges.clear()
        shown = list(ha.notifications(source_host_uuid=source["uuid"], **given))
        assert [one.notification_uuid for one in shown] == [one["notification_uuid"] for one in found], given
        assert recorder.queries("/v1/notifications") == [{"source_host_uuid": [source["uuid"]]} | sent]


def test_vmoves_are_filtered(ha: Any, recorder: Recorder, recovery: Recovery) -> None:
    for given, found in (
        ({"status": "succeeded"}, 3),
        ({"status": "failed"}, 0),
        ({"type": "evacuation"}, 3),
        ({"type": "migration"}, 0),
    ):
        assert len(list(ha.vmoves(recovery.uuid, **given))) == found, given
    sent = recorder.queries(f"/v1/notifications/{recovery.uuid}/vmoves")
    assert sent == [
        {"status": ["succeeded"]},
        {"status": ["failed"]},
        {"type": ["evacuation"]},
        {"type": ["migration"]},
    ]


def test_lists_are_sorted_by_any_column_both_ways(
    installation: Installation, ha: Any, segment: dict[str, Any], recovery: Recovery
) -> None:
    kind = unique("kind")
    for name in ("b", "c", "a"):
        installation.segment(name=unique(name), service_type=kind)
        installation.host(segment, name=unique(name))
    for way in ("asc", "desc"):
        how = {"sort_key": "name", "sort_dir": way}
        wanted = sorted("abc", reverse=way == "desc")
        assert [one.name[0] for one in ha.segments(service_type=kind, **how)] == wanted
        assert [one.name[0] for one in ha.hosts(segment["uuid"], **how)] == wanted
        moves = [one.server_id for one in ha.vmoves(recovery.uuid, sort_key="instance_uuid", sort_dir=way)]
        assert moves == sorted(recovery.servers, reverse=way == "desc")
        times = [one.generated_time for one in ha.notifications(sort_key="generated_time", sort_dir=way)]
        assert times == sorted(times, reverse=way == "desc")


def test_lists_are_sorted_by_several_columns(installation: Installation, ha: Any) -> None:
    kind = unique("kind")
    for name, method in (("a", "auto"), ("b", "reserved_host"), ("c", "auto")):
        installation.segment(name=unique(name), recovery_method=method, service_type=kind)
    how = {"sort_key": ["recovery_method", "name"], "sort_dir": ["desc", "asc"]}
    assert [one.name[0] for one in ha.segments(service_type=kind, **how)] == ["b", "a", "c"]


def test_without_a_version_only_segments_negotiate_one(
    ha: Any, recorder: Recorder, recovery: Recovery, segment: dict[str, Any]
) -> None:
    list(ha.segments(limit=1000))
    assert recorder.exchanges[0].asked in {"GET /v1", "GET /v1/"}
    assert {one.version for one in recorder.exchanges[1:]} == {"instance-ha 1.2"}
    recorder.exchanges.clear()
    list(ha.hosts(segment["uuid"]))
    list(ha.vmoves(recovery.uuid))
    shown = ha.get_notification(recovery.uuid)
    assert {one.version for one in recorder.exchanges} == {None}
    assert shown.recovery_workflow_details is None


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
def test_a_version_of_the_configuration_is_sent_with_each_call(
    recorder: Recorder, recovery: Recovery, segment: dict[str, Any], version: str, connect: Connect
) -> None:
    client = connect("admin", ha_api_version=version).instance_ha
    list(client.segments())
    list(client.hosts(segment["uuid"]))
    list(client.vmoves(recovery.uuid))
    shown = client.get_notification(recovery.uuid)
    asked = [one.version for one in recorder.exchanges if one.path.rstrip("/") != "/v1"]
    assert asked == [f"instance-ha {version}"] * 4
    assert (shown.recovery_workflow_details is not None) == (version != "1.0")


@pytest.mark.parametrize(("version", "accepted"), [("1.0", False), ("1.1", False), ("1.2", True), ("1.3", True)])
def test_a_segment_can_be_disabled_from_1_2_on(
    recorder: Recorder, version: str, accepted: bool, connect: Connect
) -> None:
    client = connect("admin", ha_api_version=version).instance_ha
    if accepted:
        assert make_segment(client, is_enabled=False).is_enabled is False
    else:
        with pytest.raises(exceptions.BadRequestException, match="enabled"):
            make_segment(client, is_enabled=False)


def test_the_workflow_tells_its_steps_from_1_1_on(recovery: Recovery, connect: Connect) -> None:
    details = (
        connect("admin", ha_api_version="1.1").instance_ha.get_notification(recovery.uuid).recovery_workflow_details
    )
    assert {(task.state, task.progress) for task in details} == {("SUCCESS", 1.0)}
    assert all(step.timestamp and step.message for task in details for step in task.progress_details)


@pytest.mark.parametrize("version", [None, "1", "1.3"])
@pytest.mark.parametrize(("style", "base"), STYLES.items())
def test_each_address_that_a_catalogue_may_have_works(
    installation: Installation, recorder: Recorder, style: str, base: str, version: str | None, connect: Connect
) -> None:
    project = installation.cloud.identity.users["admin"].project.id
    with catalogue(installation, recorder.url + style):
        client = connect("admin", **({"ha_api_version": version} if version else {})).instance_ha
        made = make_segment(client)
        assert made.uuid in [one.uuid for one in client.segments(service_type="COMPUTE")]
        assert list(client.hosts(made.uuid)) == []
    root = base.format(project=project)
    called = [one.asked for one in recorder.exchanges if one.path.rstrip("/") not in {"", "/v1"}]
    assert called == [f"POST {root}/segments", f"GET {root}/segments", f"GET {root}/segments/{made.uuid}/hosts"]
    assert {one.status for one in recorder.exchanges} <= {200, 201}
