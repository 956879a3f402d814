"""The calls of masakari-dashboard, page by page, as a user who is logged in to Horizon makes them."""

import json
from itertools import islice
from typing import Any

import pytest
from keystoneauth1.identity.generic import token
from keystoneauth1.session import Session
from openstack import exceptions
from openstack.connection import Connection

from tests.clients.conftest import Recovery, made_in_turn, rebooted
from tests.clients.recorder import Recorder
from tests.functions.conftest import Installation, unique

PAGE = 2  # Horizon's page size


@pytest.fixture
def horizon(installation: Installation) -> "Horizon":
    """Horizon, with a user who has logged in."""
    return Horizon(installation)


class Horizon:
    """Makes connections as the dashboard does: from the user's token and project, one for each version."""

    def __init__(self, installation: Installation) -> None:
        cloud = json.loads(installation.runtime.clouds_yaml.read_text())["clouds"]["admin"]
        user = installation.cloud.identity.users["admin"]
        self._auth = {
            "auth_url": cloud["auth"]["auth_url"],
            "token": installation.token("admin"),
            "project_name": user.project.name,
            "project_id": user.project.id,
        }
        self._clients: dict[str | None, Any] = {}

    def client(self, version: str | None = None) -> Any:
        """Return the client for a version."""
        if version not in self._clients:
            session = Session(auth=token.Token(**self._auth))
            of = {"interface": "publicURL", "region_name": "RegionOne", "ha_api_version": version}
            self._clients[version] = Connection(session=session, **of).instance_ha
        return self._clients[version]


def page(listed: Any) -> tuple[list[Any], bool]:
    """Return what the page shows, and whether there is a next one: one item more is asked for than is shown."""
    items = list(islice(listed, PAGE + 1))
    return items[:PAGE], len(items) > PAGE


def test_the_users_token_and_project_are_enough_to_connect(horizon: Horizon, segment: dict[str, Any]) -> None:
    assert horizon.client().get_segment(segment["uuid"]).name == segment["name"]


def test_the_segments_page_is_turned_by_the_integer_id_of_its_last_row(
    installation: Installation, recorder: Recorder, horizon: Horizon
) -> None:
    kind = unique("kind")
    made = made_in_turn(lambda _: installation.segment(service_type=kind), 2 * PAGE)
    filters = {"service_type": kind}
    first, more = page(horizon.client().segments(marker=None, limit=PAGE + 1, **filters))
    assert ([one.uuid for one in first], more) == ([one["uuid"] for one in made[:PAGE]], True)

    marker = horizon.client().get_segment(first[-1].uuid).id
    assert marker == made[PAGE - 1]["id"]
    second, more = page(horizon.client().segments(marker=marker, limit=PAGE + 1, **filters))
    assert ([one.uuid for one in second], more) == ([one["uuid"] for one in made[PAGE:]], False)
    sent = [(query.get("marker"), query["limit"]) for query in recorder.queries("/v1/segments")]
    assert sent[:2] == [(None, [str(PAGE + 1)]), ([str(marker)], [str(PAGE + 1)])]


@pytest.mark.parametrize(
    ("text", "enabled"),
    [("Yes", True), ("yes", True), ("True", True), ("1", True), ("No", False), ("False", False), ("off", False)],
)
def test_the_segments_page_is_filtered_by_what_a_user_types_for_enabled(
    installation: Installation, horizon: Horizon, text: str, enabled: bool
) -> None:
    made = installation.segment(enabled=enabled)
    other = installation.segment(enabled=not enabled)
    found = {one.uuid for one in horizon.client().segments(marker=None, limit=1000, is_enabled=text)}
    assert made["uuid"] in found
    assert other["uuid"] not in found


def test_the_segments_page_is_filtered_by_recovery_method_and_service_type(
    installation: Installation, horizon: Horizon
) -> None:
    kind = unique("kind")
    made = installation.segment(service_type=kind, recovery_method="rh_priority")
    for filters in ({"service_type": kind}, {"recovery_method": "rh_priority"}):
        found = [one.uuid for one in horizon.client().segments(marker=None, limit=PAGE + 1, **filters)]
        assert made["uuid"] in found


def test_the_form_of_a_new_segment_makes_one_and_tells_a_taken_name_apart(recorder: Recorder, horizon: Horizon) -> None:
    data = {
        "name": unique("dashboard"),
        "recovery_method": "auto",
        "service_type": "compute",
        "description": "",
        "is_enabled": True,
    }
    made = horizon.client().create_segment(**data)
    assert (made.name, made.description, made.is_enabled) == (data["name"], "", True)
    assert recorder.exchanges[-1].version == "instance-ha 1.2"
    with pytest.raises(exceptions.HttpException) as refused:
        horizon.client().create_segment(**data)
    assert refused.value.status_code == 409


def test_the_form_of_a_segment_changes_it(recorder: Recorder, horizon: Horizon, segment: dict[str, Any]) -> None:
    fields = {
        "name": segment["name"],
        "recovery_method": "auto_priority",
        "description": "two\nlines",
        "is_enabled": False,
    }
    changed = horizon.client().update_segment(segment["uuid"], **fields)
    assert {key: changed[key] for key in fields} == fields
    (sent,) = recorder.bodies("PUT")
    assert set(sent["segment"]) == {"name", "recovery_method", "description", "enabled"}


def test_a_segment_is_deleted_whether_it_is_still_there_or_not(horizon: Horizon, segment: dict[str, Any]) -> None:
    assert horizon.client().delete_segment(segment["uuid"], True) is not None
    assert horizon.client().delete_segment(segment["uuid"], True) is None


def test_a_segments_own_page_shows_it_and_its_hosts(
    horizon: Horizon, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    assert horizon.client().get_segment(segment["uuid"]).description is None
    assert [one.name for one in horizon.client().hosts(segment["uuid"])] == [host["name"]]


@pytest.mark.parametrize(("text", "flag"), [("True", True), ("False", False)])
def test_the_form_of_a_new_host_sends_its_flags_as_words(
    installation: Installation, recorder: Recorder, horizon: Horizon, segment: dict[str, Any], text: str, flag: bool
) -> None:
    taken = {host.name for one in horizon.client().segments() for host in horizon.client().hosts(one.uuid)}
    name = unique("compute")
    assert name not in taken
    installation.cloud.add_host(name)
    data = {"name": name, "reserved": text, "type": "compute", "control_attributes": "SSH", "on_maintenance": text}
    made = horizon.client().create_host(segment["uuid"], **data)
    assert recorder.bodies("POST") == [{"host": data}]
    assert (made.reserved, made.on_maintenance) == (flag, flag)


def test_the_hosts_page_asks_every_segment_for_its_hosts(
    installation: Installation, horizon: Horizon, segment: dict[str, Any]
) -> None:
    plain = installation.host(segment)
    spare = installation.host(segment, reserved=True, on_maintenance=True, type="spare")
    for filters, wanted in (
        ({}, {plain["uuid"], spare["uuid"]}),
        ({"failover_segment_id": segment["uuid"]}, {plain["uuid"], spare["uuid"]}),
        ({"type": "spare"}, {spare["uuid"]}),
        ({"reserved": "True"}, {spare["uuid"]}),
        ({"on_maintenance": "False"}, {plain["uuid"]}),
        ({"on_maintenance": "yes"}, {spare["uuid"]}),
    ):
        found = {
            host.uuid for one in horizon.client().segments() for host in horizon.client().hosts(one.uuid, **filters)
        }
        assert found & {plain["uuid"], spare["uuid"]} == wanted, filters


def test_the_form_of_a_host_sends_all_five_fields_and_its_deletion_says_if_it_was_gone(
    recorder: Recorder, horizon: Horizon, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    assert horizon.client().get_host(host["uuid"], segment["uuid"]).failover_segment_id == segment["uuid"]
    attributes = {
        "name": host["name"],
        "reserved": "True",
        "type": "spare",
        "control_attributes": "IPMI",
        "on_maintenance": "False",
    }
    changed = horizon.client().update_host(host["uuid"], segment["uuid"], **attributes)
    assert recorder.bodies("PUT") == [{"host": attributes}]
    assert (changed.name, changed.reserved, changed.on_maintenance) == (host["name"], True, False)
    horizon.client().delete_host(host["uuid"], segment["uuid"], False)
    with pytest.raises(exceptions.NotFoundException):
        horizon.client().delete_host(host["uuid"], segment["uuid"], False)


def test_the_notifications_page_is_turned_by_the_integer_id_of_its_last_row(
    installation: Installation, horizon: Horizon, host: dict[str, Any]
) -> None:
    made = made_in_turn(lambda number: installation.notification(host, **rebooted(number)), 2 * PAGE)
    filters = {"source_host_uuid": host["uuid"]}
    first, more = page(horizon.client().notifications(marker=None, limit=PAGE + 1, **filters))
    assert ([one.notification_uuid for one in first], more) == (
        [one["notification_uuid"] for one in made[:PAGE]],
        True,
    )
    marker = horizon.client().get_notification(first[-1].notification_uuid).id
    second, more = page(horizon.client().notifications(marker=marker, limit=PAGE + 1, **filters))
    assert ([one.notification_uuid for one in second], more) == (
        [one["notification_uuid"] for one in made[PAGE:]],
        False,
    )


def test_the_notifications_page_is_filtered(horizon: Horizon, recovery: Recovery) -> None:
    since = recovery.notification["generated_time"]
    for filters, found in (
        ({"source_host_uuid": recovery.host["uuid"]}, True),
        ({"type": "COMPUTE_HOST"}, True),
        ({"type": "PROCESS"}, False),
        ({"status": "finished"}, True),
        ({"status": "error"}, False),
        ({"generated_since": since}, True),
        ({"generated_since": "2999-01-01"}, False),
    ):
        listed = horizon.client().notifications(marker=None, limit=1000, **filters)
        assert (recovery.uuid in [one.notification_uuid for one in listed]) == found, filters


def test_a_notifications_page_is_asked_for_at_1_0_and_its_progress_tab_at_1_1(
    recorder: Recorder, horizon: Horizon, recovery: Recovery
) -> None:
    assert horizon.client().get_notification(recovery.uuid).recovery_workflow_details is None
    details = horizon.client("1.1").get_notification(recovery.uuid).recovery_workflow_details
    rows = [(task["name"], row["timestamp"], row["message"]) for task in details for row in task["progress_details"]]
    assert {name for name, _, _ in rows} == {
        "DisableComputeServiceTask",
        "PrepareHAEnabledInstancesTask",
        "EvacuateInstancesTask",
    }
    assert all(timestamp and message for _, timestamp, message in rows)
    versions = [one.version for one in recorder.exchanges if one.path.startswith("/v1/notifications/")]
    assert versions == [None, "instance-ha 1.1"]


def test_a_notifications_vmove_tab_is_asked_for_at_1_3(
    recorder: Recorder, horizon: Horizon, recovery: Recovery
) -> None:
    listed = list(horizon.client("1.3").vmoves(recovery.uuid))
    assert {one.server_id: one.server_name for one in listed} == recovery.servers
    assert {one.notification_id for one in listed} == {recovery.uuid}
    shown = horizon.client("1.3").get_vmove(listed[0].uuid, recovery.uuid)
    assert (shown.server_name, shown.status) == (listed[0].server_name, "succeeded")
    versions = {one.version for one in recorder.exchanges if "/vmoves" in one.path}
    assert versions == {"instance-ha 1.3"}


def test_the_vmoves_page_asks_every_notification_of_a_host_for_its_vmoves(horizon: Horizon, recovery: Recovery) -> None:
    for filters, many in (
        ({}, 3),
        ({"status": "succeeded"}, 3),
        ({"status": "failed"}, 0),
        ({"type": "evacuation"}, 3),
    ):
        found = [
            move
            for one in horizon.client().notifications()
            if one.type == "COMPUTE_HOST"
            for move in horizon.client("1.3").vmoves(one.notification_uuid, **filters)
        ]
        assert len([move for move in found if move.server_id in recovery.servers]) == many, filters
