"""Each command that python-masakariclient adds to `openstack`, as its help describes it."""

import json
import re
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Recovery, made_in_turn, rebooted
from tests.clients.openstack_shell import OpenStackShell
from tests.clients.recorder import Recorder
from tests.functions.conftest import Installation, report, unique

UNKNOWN = "00000000-0000-4000-8000-000000000000"
SEGMENT_COLUMNS = {"uuid", "name", "description", "service_type", "recovery_method", "is_enabled"}
HOST_COLUMNS = {"uuid", "name", "type", "control_attributes", "reserved", "on_maintenance", "failover_segment_id"}
NOTIFICATION_COLUMNS = {"notification_uuid", "generated_time", "status", "type", "source_host_uuid", "payload"}
VMOVE_COLUMNS = {"uuid", "server_id", "server_name", "source_host", "dest_host", "start_time", "end_time"} | {
    "type",
    "status",
}
TIMES = {"created_at", "updated_at"}


Command = Callable[..., Any]


@pytest.fixture
def run(shell: OpenStackShell) -> Command:
    """Runs a command as the cloud's administrator."""
    return lambda command, *words: shell.run(*command.split(), *words)


@pytest.fixture
def openstack(run: Command) -> Command:
    """Runs a command that must work, and returns what it shows."""

    def shown(command: str, *words: str) -> Any:
        done = run(command, *words, "-f", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return shown


def test_no_command_of_the_plugin_is_forgotten_here() -> None:
    groups = [group for group in entry_points().groups if "openstack.ha" in group]
    declared = {point.name.replace("_", " ") for group in groups for point in entry_points(group=group)}
    assert len(declared) >= 15
    assert declared == set(re.findall(r'\b(?:run|openstack)\(\s*"([a-z ]+)"', Path(__file__).read_text()))


def test_segment_create_makes_one_and_shows_it(
    installation: Installation, recorder: Recorder, openstack: Command
) -> None:
    name = unique("osc")
    shown = openstack("segment create", name, "auto", "COMPUTE", "--is_enabled", "False", "--description", "rack 4")
    assert set(shown) == SEGMENT_COLUMNS | TIMES | {"id"}
    assert (shown["name"], shown["is_enabled"], shown["description"]) == (name, False, "rack 4")
    body = {"name": name, "recovery_method": "auto", "service_type": "COMPUTE", "description": "rack 4"}
    assert recorder.bodies("POST") == [{"segment": body | {"enabled": False}}]
    assert recorder.asked[-2:] == ["POST /v1/segments", f"GET /v1/segments/{shown['uuid']}"]
    assert {one.version for one in recorder.exchanges[-2:]} == {"instance-ha 1.3"}
    assert installation.get(f"/v1/segments/{shown['uuid']}").json()["segment"]["enabled"] is False


def test_segment_create_tells_why_it_could_not(segment: dict[str, Any], run: Command) -> None:
    done = run("segment create", segment["name"], "auto", "COMPUTE")
    assert done.returncode != 0
    assert segment["name"] in done.stderr
    assert "409" in done.stderr


def test_segment_list_pages_sorts_and_filters(
    installation: Installation, recorder: Recorder, openstack: Command
) -> None:
    kind = unique("kind")
    made = [installation.segment(name=unique(name), service_type=kind) for name in ("c", "b", "a")]
    installation.segment(service_type=kind, recovery_method="reserved_host")
    filters = f"recovery_method=auto;service_type={kind}"
    marker = str(made[2]["id"])
    shown = openstack(
        "segment list", "--limit", "1", "--marker", marker, "--sort", "name:asc,created_at", "--filters", filters
    )
    assert [one["uuid"] for one in shown] == [made[1]["uuid"], made[0]["uuid"]]
    assert {frozenset(one) for one in shown} == {frozenset(SEGMENT_COLUMNS)}
    first, second, third = recorder.queries("/v1/segments")
    assert (first["marker"], first["sort_key"], first["sort_dir"]) == (
        [marker],
        ["name", "created_at"],
        ["asc", "desc"],
    )
    assert (second["marker"], third["marker"]) == ([str(made[1]["id"])], [str(made[0]["id"])])


def test_segment_show_takes_a_name_and_tells_the_marker(
    recorder: Recorder, segment: dict[str, Any], openstack: Command
) -> None:
    shown = openstack("segment show", segment["name"])
    assert (shown["uuid"], shown["id"]) == (segment["uuid"], segment["id"])
    assert recorder.asked[-2:] == ["GET /v1/segments", f"GET /v1/segments/{segment['uuid']}"]


def test_segment_update_changes_all_that_it_can(
    recorder: Recorder, segment: dict[str, Any], openstack: Command
) -> None:
    name = unique("renamed")
    words = ["--name", name, "--recovery_method", "rh_priority", "--service_type", "X"]
    shown = openstack("segment update", segment["name"], *words, "--is_enabled", "no", "--description", "new")
    body = {"name": name, "recovery_method": "rh_priority", "service_type": "X", "description": "new"}
    assert {key: shown[key] for key in body} == body
    assert (shown["is_enabled"], shown["uuid"]) == (False, segment["uuid"])
    assert recorder.bodies("PUT") == [{"segment": body | {"enabled": False}}]


def test_segment_delete_takes_several_and_goes_on_after_an_unknown_one(
    installation: Installation, segment: dict[str, Any], run: Command
) -> None:
    other = installation.segment()
    done = run("segment delete", UNKNOWN, segment["name"], other["uuid"])
    assert done.returncode == 0
    assert f"Segment deleted: {segment['name']}\nSegment deleted: {other['uuid']}\n" in done.stdout
    assert UNKNOWN in done.stdout
    for gone in (segment, other):
        assert installation.get(f"/v1/segments/{gone['uuid']}").status_code == 404


def test_segment_host_create_registers_one_and_shows_it(
    installation: Installation, recorder: Recorder, segment: dict[str, Any], openstack: Command
) -> None:
    name = unique("compute")
    installation.cloud.add_host(name)
    words = [name, "COMPUTE", "SSH", segment["name"], "--reserved", "True", "--on_maintenance", "False"]
    shown = openstack("segment host create", *words)
    assert set(shown) == HOST_COLUMNS | TIMES
    assert (shown["name"], shown["reserved"], shown["on_maintenance"]) == (name, True, False)
    (sent,) = recorder.bodies("POST")
    assert (sent["host"]["reserved"], sent["host"]["on_maintenance"]) == ("True", "False")


def test_segment_host_list_pages_sorts_and_filters(
    installation: Installation, recorder: Recorder, segment: dict[str, Any], openstack: Command
) -> None:
    made = [installation.host(segment, name=unique(name), reserved=True) for name in ("c", "b", "a")]
    installation.host(segment)
    filters = ["--filters", "reserved=True", "--filters", "on_maintenance=False"]
    paging = ["--limit", "2", "--marker", str(made[2]["id"]), "--sort", "name:asc"]
    shown = openstack("segment host list", segment["uuid"], *paging, *filters)
    assert [one["uuid"] for one in shown] == [made[1]["uuid"], made[0]["uuid"]]
    assert {frozenset(one) for one in shown} == {frozenset(HOST_COLUMNS)}
    first, *_ = recorder.queries(f"/v1/segments/{segment['uuid']}/hosts")
    assert (first["reserved"], first["on_maintenance"]) == (["True"], ["False"])


def test_segment_host_show_takes_names(segment: dict[str, Any], host: dict[str, Any], openstack: Command) -> None:
    shown = openstack("segment host show", segment["name"], host["name"])
    assert (shown["uuid"], shown["failover_segment_id"]) == (host["uuid"], segment["uuid"])


def test_segment_host_update_changes_all_that_it_can(
    installation: Installation, recorder: Recorder, segment: dict[str, Any], host: dict[str, Any], openstack: Command
) -> None:
    name = unique("compute")
    installation.cloud.add_host(name)
    words = ["--name", name, "--type", "SPARE", "--control_attributes", "IPMI"]
    flags = ["--reserved", "True", "--on_maintenance", "True"]
    shown = openstack("segment host update", segment["uuid"], host["name"], *words, *flags)
    body = {"name": name, "type": "SPARE", "control_attributes": "IPMI"}
    assert {key: shown[key] for key in body} == body
    assert (shown["uuid"], shown["reserved"], shown["on_maintenance"]) == (host["uuid"], True, True)
    assert recorder.bodies("PUT") == [{"host": body | {"reserved": "True", "on_maintenance": "True"}}]


def test_segment_host_delete_takes_names(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any], run: Command
) -> None:
    done = run("segment host delete", segment["name"], host["name"])
    assert (done.returncode, done.stdout) == (0, f"Host deleted: {host['name']}\n")
    assert installation.get(f"/v1/segments/{segment['uuid']}/hosts/{host['uuid']}").status_code == 404


def test_notification_create_posts_the_payload_and_shows_the_notification(
    recorder: Recorder, host: dict[str, Any], openstack: Command
) -> None:
    about = report(host["name"])
    payload = json.dumps(about["payload"])
    shown = openstack("notification create", "COMPUTE_HOST", host["name"], about["generated_time"], payload)
    assert set(shown) == NOTIFICATION_COLUMNS | TIMES | {"recovery_workflow_details"}
    assert (shown["payload"], shown["source_host_uuid"]) == (about["payload"], host["uuid"])
    assert recorder.bodies("POST") == [{"notification": about}]


def test_notification_list_pages_sorts_and_filters(
    installation: Installation, recorder: Recorder, host: dict[str, Any], openstack: Command
) -> None:
    made = made_in_turn(lambda number: installation.notification(host, **rebooted(number)), 3)
    filters = f"source_host_uuid={host['uuid']};type=VM;generated-since=2026-11-22T03:00:00"
    paging = ["--limit", "1", "--marker", str(made[0]["id"]), "--sort", "created_at"]
    shown = openstack("notification list", *paging, "--filters", filters)
    assert [one["notification_uuid"] for one in shown] == [one["notification_uuid"] for one in made[1:]]
    assert {frozenset(one) for one in shown} == {frozenset(NOTIFICATION_COLUMNS)}
    markers = [query["marker"] for query in recorder.queries("/v1/notifications")]
    assert markers == [[str(one["id"])] for one in made]


def test_notification_show_tells_the_progress_of_the_recovery(recovery: Recovery, openstack: Command) -> None:
    shown = openstack("notification show", recovery.uuid)
    assert (shown["status"], shown["source_host_uuid"]) == ("finished", recovery.host["uuid"])
    assert {task["state"] for task in shown["recovery_workflow_details"]} == {"SUCCESS"}


def test_notification_vmove_list_pages_sorts_and_filters(
    recorder: Recorder, recovery: Recovery, openstack: Command
) -> None:
    words = ["--limit", "2", "--sort", "start_time:asc", "--filters", "type=evacuation;status=succeeded"]
    shown = openstack("notification vmove list", recovery.uuid, *words)
    assert {one["server_id"]: one["server_name"] for one in shown} == recovery.servers
    assert {frozenset(one) for one in shown} == {frozenset(VMOVE_COLUMNS)}
    times = [one["start_time"] for one in shown]
    assert times == sorted(times)
    assert len(recorder.queries(f"/v1/notifications/{recovery.uuid}/vmoves")) == 3


def test_notification_vmove_list_goes_on_from_a_marker(
    installation: Installation, recovery: Recovery, openstack: Command
) -> None:
    moves = installation.get(f"/v1/notifications/{recovery.uuid}/vmoves").json()["vmoves"]
    shown = openstack("notification vmove list", recovery.uuid, "--marker", str(moves[0]["id"]))
    assert [one["uuid"] for one in shown] == [move["uuid"] for move in moves[1:]]


def test_notification_vmove_show_shows_one(installation: Installation, recovery: Recovery, openstack: Command) -> None:
    move = installation.get(f"/v1/notifications/{recovery.uuid}/vmoves").json()["vmoves"][0]
    shown = openstack("notification vmove show", recovery.uuid, move["uuid"])
    assert set(shown) == VMOVE_COLUMNS | TIMES | {"message"}
    assert (shown["server_id"], shown["status"]) == (move["instance_uuid"], "succeeded")


def test_an_older_version_may_be_asked_for(
    recorder: Recorder, segment: dict[str, Any], recovery: Recovery, openstack: Command
) -> None:
    assert "is_enabled" not in openstack("segment show", segment["uuid"], "--os-ha-api-version", "1.1")
    assert {one.version for one in recorder.exchanges if one.path.startswith("/v1/segments")} == {"instance-ha 1.1"}
    recorder.exchanges.clear()
    assert "recovery_workflow_details" not in openstack("notification show", recovery.uuid, "--os-ha-api-version", "1")
    assert recorder.exchanges[-1].version is None
