"""What a sink of the installation gets: every event, in its order, as the schema says."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from instance_ha.sinks.envelope import FAMILIES
from sqlalchemy import text

from tests.followers import Aws
from tests.functions.conftest import Installation, closed, report, unique

ROOT = Path(__file__).parents[2]
SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "docs/events.schema.json").read_text()))
STOPPED = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}


@pytest.fixture(scope="module", autouse=True)
def _nothing_of_earlier_tests(installation: Installation) -> None:
    """Whatever other tests have caused is not waited for."""
    installation.sql("UPDATE outbox SET state = 'sent', done_at = now(), due_at = NULL WHERE done_at IS NULL")


def relay(installation: Installation) -> None:
    """Let the relay run until everything is sent."""
    query = text("SELECT count(*) FROM outbox WHERE done_at IS NULL")
    for _ in range(20):
        assert installation.tick("relay").status_code == 204
        with installation.database.begin() as connection:
            if connection.execute(query).scalar_one() == 0:
                return
    pytest.fail("the relay does not come to an end")


def sent(installation: Installation, subject: str) -> list[dict[str, Any]]:
    """Return the notifications about one thing, all of them checked."""
    relay(installation)
    events = installation.follower.about(subject)
    installation.traffic.append(str(events))
    for event in events:
        SCHEMA.validate(event.data)
        assert event["type"] == f"org.openstack.instanceha.{event.data['event_type']}"
        assert (event["id"], event["source"]) == (event.data["message_id"], "/masakari-functions")
    return [event.data for event in events]


def data(notification: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the object that a notification is about."""
    return dict(notification["payload"]["masakari_object.data"])


def types(notifications: list[dict[str, Any]]) -> list[str]:
    """Name the events."""
    return [notification["event_type"] for notification in notifications]


def subject_of(installation: Installation, event_type: str, name: str) -> str:
    """Find what an event was about whose object never came to be."""
    relay(installation)
    found = [e for e in installation.follower.got if e["type"].endswith(event_type)]
    return str(next(e["subject"] for e in found if data(e.data)["name"] == name))


def test_the_life_of_a_segment_is_sent_in_order(installation: Installation) -> None:
    segment = installation.segment()
    path = f"/v1/segments/{segment['uuid']}"
    installation.put(path, {"segment": {"description": "new"}})
    installation.delete(path)
    events = sent(installation, segment["uuid"])
    assert types(events) == [f"segment.{what}.{when}" for what in LIFE for when in ("start", "end")]
    assert "id" not in data(events[0])
    assert "uuid" not in data(events[0])
    assert (data(events[1])["id"], data(events[1])["uuid"]) == (segment["id"], segment["uuid"])
    assert [data(event)["description"] for event in events] == [None, None, "new", "new", "new", "new"]
    assert {event["priority"] for event in events} == {"INFO"}
    assert {event["publisher_id"].partition(":")[0] for event in events} == {"masakari-api"}


LIFE = ("create", "update", "delete")


def test_the_life_of_a_host_is_sent_in_order_with_its_segment(
    installation: Installation, segment: dict[str, Any]
) -> None:
    host = installation.host(segment)
    path = f"/v1/segments/{segment['uuid']}/hosts/{host['uuid']}"
    installation.put(path, {"host": {"reserved": True}})
    installation.delete(path)
    events = sent(installation, host["uuid"])
    assert types(events) == [f"host.{what}.{when}" for what in LIFE for when in ("start", "end")]
    nested = [data(event)["failover_segment"]["masakari_object.data"] for event in events]
    assert {shown["uuid"] for shown in nested} == {segment["uuid"]}
    assert [data(event)["reserved"] for event in events] == [False, False, True, True, True, True]


def test_a_change_that_failed_is_an_error_although_its_transaction_is_gone(
    installation: Installation, segment: dict[str, Any]
) -> None:
    body = {"name": segment["name"], "recovery_method": "auto", "service_type": "again"}
    assert installation.post("/v1/segments", {"segment": body}).status_code == 409
    start, error = sent(installation, subject_of(installation, "segment.create.error", segment["name"]))
    assert types([start, error]) == ["segment.create.start", "segment.create.error"]
    fault = data(error)["fault"]["masakari_object.data"]
    assert (error["priority"], fault["exception"]) == ("ERROR", "Conflict")
    assert segment["name"] in fault["exception_message"]
    assert fault["module_name"].startswith("instance_ha.store")
    assert "Traceback" not in fault["traceback"]
    assert fault["traceback"].endswith(fault["exception_message"])


def test_a_host_that_could_not_be_registered_or_renamed_is_sent(
    installation: Installation, segment: dict[str, Any]
) -> None:
    one, other = installation.host(segment), installation.host(segment)
    path = f"/v1/segments/{segment['uuid']}/hosts/{one['uuid']}"
    assert installation.put(path, {"host": {"name": other["name"]}}).status_code == 409
    assert types(sent(installation, one["uuid"]))[-2:] == ["host.update.start", "host.update.error"]


@pytest.mark.usefixtures("under_recovery")
def test_a_refusal_is_sent_to_nobody_but_the_caller(installation: Installation, segment: dict[str, Any]) -> None:
    path = f"/v1/segments/{segment['uuid']}"
    assert installation.put(path, {"segment": {"name": unique("s")}}).status_code == 409
    assert installation.delete(path).status_code == 409
    assert types(sent(installation, segment["uuid"])) == ["segment.create.start", "segment.create.end"]


def failure(installation: Installation, segment: dict[str, Any], names: list[str]) -> tuple[dict[str, Any], str]:
    """Let a host with instances die and be recovered; returns its notification and its uuid."""
    host = installation.host(segment)
    installation.cloud.boot(host["name"], names)
    installation.cloud.kill_host(host["name"])
    body = report(host["name"], payload=STOPPED)
    notification = installation.post("/v1/notifications", {"notification": body}).json()["notification"]
    return closed(installation, notification, 60), host["uuid"]


@pytest.fixture(scope="module")
def recovered(installation: Installation) -> dict[str, Any]:
    """A recovery of two instances, and what was sent of it."""
    segment = installation.segment()
    installation.host(segment)
    notification, host = failure(installation, segment, [unique("vm"), unique("vm")])
    path = f"/v1/notifications/{notification['notification_uuid']}"
    moves = installation.get(f"{path}/vmoves").json()["vmoves"]
    return {
        "notification": notification,
        "events": sent(installation, notification["notification_uuid"]),
        "host": sent(installation, host),
        "moves": {move["uuid"]: sent(installation, move["uuid"]) for move in moves},
    }


def test_a_recovery_is_sent_from_the_report_to_its_end(recovered: dict[str, Any]) -> None:
    assert recovered["notification"]["status"] == "finished"
    events = recovered["events"]
    assert types(events) == [f"notification.{p}.{w}" for p in ("create", "process") for w in ("start", "end")]
    assert "notification_uuid" not in data(events[0])
    assert data(events[1])["notification_uuid"] == recovered["notification"]["notification_uuid"]
    assert [event["publisher_id"].partition(":")[0] for event in events] == ["masakari-api"] * 2 + [
        "masakari-engine"
    ] * 2


def test_the_status_that_is_sent_is_the_one_that_was_committed(recovered: dict[str, Any]) -> None:
    assert [data(event)["status"] for event in recovered["events"]] == ["new", "new", "running", "finished"]


def test_the_host_of_a_recovery_is_sent_to_be_on_maintenance(recovered: dict[str, Any]) -> None:
    assert types(recovered["host"])[-2:] == ["host.update.start", "host.update.end"]
    assert data(recovered["host"][-1])["on_maintenance"] is True


def test_every_evacuation_is_sent(recovered: dict[str, Any]) -> None:
    assert len(recovered["moves"]) == 2
    for events in recovered["moves"].values():
        assert types(events) == ["vmove.start", "vmove.end"]
        assert [data(event)["status"] for event in events] == ["ongoing", "succeeded"]
        assert data(events[1])["dest_host"]


def test_a_recovery_that_failed_tells_the_real_error(installation: Installation) -> None:
    from instance_ha_simulator.cloud.faults import Rule

    segment = installation.segment()
    refusal = {"badRequest": {"code": 400, "message": "no such luck"}}
    rule = Rule(method="POST", path="/action", status=400, body=refusal, times=1)
    host = installation.host(segment)
    installation.host(segment)
    installation.cloud.boot(host["name"], [unique("vm")])
    installation.cloud.kill_host(host["name"])
    installation.cloud.faults.add(rule)
    body = report(host["name"], payload=STOPPED)
    uuid = installation.post("/v1/notifications", {"notification": body}).json()["notification"]["notification_uuid"]
    shown = closed(installation, {"notification_uuid": uuid}, 60, but_for="error")
    installation.sql("UPDATE notifications SET due_at = NULL WHERE notification_uuid = :uuid", uuid=uuid)
    error = sent(installation, uuid)[-1]
    assert (error["event_type"], data(error)["status"]) == ("notification.process.error", shown["status"])
    fault = data(error)["fault"]["masakari_object.data"]
    assert (fault["exception"], fault["module_name"]) == (
        "RecoveryFailed",
        "instance_ha.recovery.tasks.evacuate_instances",
    )
    assert "no such luck" in fault["exception_message"]
    move = installation.get(f"/v1/notifications/{uuid}/vmoves").json()["vmoves"][0]
    start, failed = sent(installation, move["uuid"])
    assert types([start, failed]) == ["vmove.start", "vmove.error"]
    assert data(failed)["fault"]["masakari_object.data"]["exception"] == "CloudRefused"


def test_a_report_that_asks_for_nothing_is_sent_to_its_end(installation: Installation, host: dict[str, Any]) -> None:
    notification = closed(installation, installation.notification(host))
    events = sent(installation, notification["notification_uuid"])
    assert types(events)[2:] == ["notification.process.start", "notification.process.end"]
    assert data(events[-1])["status"] == "finished"


def test_a_queue_gets_the_same_events_in_the_same_order(installation: Installation, aws: Aws) -> None:
    segment = installation.segment()
    installation.delete(f"/v1/segments/{segment['uuid']}")
    expected = [event["message_id"] for event in sent(installation, segment["uuid"])]
    messages = [message["Body"] for message in aws.messages(installation.queue)]
    assert [message["id"] for message in messages if message["subject"] == segment["uuid"]] == expected
    for message in messages:
        SCHEMA.validate(message["data"])


def test_the_schema_names_every_event() -> None:
    known = {name for family in FAMILIES for name in family.event_types}
    document = (ROOT / "docs/events.schema.json").read_text()
    guide = (ROOT / "docs/events.md").read_text()
    assert [name for name in known if f'"{name}"' not in document] == []
    assert [name for name in known if name not in guide] == []
    assert len(known) == 53
