"""What segments would survive: found by a tick, and read over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from instance_ha.models.readiness import Fit, HostReadiness, SegmentReadiness
from instance_ha.models.uuids import HostUuid, SegmentUuid
from instance_ha.store import readiness

from tests.functions.conftest import Installation

READINESS = "/v1/x-instance-ha/readiness"


@pytest.fixture(scope="module", autouse=True)
def _only_these(installation: Installation) -> None:
    installation.forget_segments()


@pytest.fixture
def checked(installation: Installation, host: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A host whose segment was checked by a tick."""
    assert installation.tick("readiness").status_code == 204
    yield host
    installation.sql("DELETE FROM readiness")


def shown(installation: Installation, segment: str) -> dict[str, Any]:
    answer = installation.get(f"{READINESS}/{segment}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["readiness"])


def test_a_tick_finds_out_what_each_segment_survives(installation: Installation, checked: dict[str, Any]) -> None:
    segment = checked["failover_segment_id"]
    listed = {one["segment_uuid"]: one for one in installation.get(READINESS).json()["readiness"]}
    assert listed.keys() >= {segment}
    one = shown(installation, segment)
    assert one.items() >= listed[segment].items()
    assert (one["is_fresh"], one["unfenceable"], one["unrecoverable"]) == (True, 0, 0)
    assert [host["name"] for host in one["hosts"]] == [checked["name"]]


def test_what_was_found_long_ago_is_not_fresh(installation: Installation, checked: dict[str, Any]) -> None:
    installation.sql("UPDATE readiness SET checked_at = checked_at - interval '2 hours'")
    assert shown(installation, checked["failover_segment_id"])["is_fresh"] is False


def test_a_segment_that_was_not_checked_or_does_not_exist_has_none(installation: Installation) -> None:
    segment = installation.segment()
    for uuid, message in ((segment["uuid"], "was not checked yet"), ("none", "could not be found")):
        answer = installation.get(f"{READINESS}/{uuid}")
        assert answer.status_code == 404
        assert message in answer.json()["itemNotFound"]["message"]


def test_a_segment_that_is_gone_is_forgotten(installation: Installation, checked: dict[str, Any]) -> None:
    uuid = checked["failover_segment_id"]
    assert installation.delete(f"/v1/segments/{uuid}/hosts/{checked['uuid']}").status_code == 204
    assert installation.delete(f"/v1/segments/{uuid}").status_code == 204
    assert uuid not in {one["segment_uuid"] for one in installation.get(READINESS).json()["readiness"]}
    installation.tick("readiness")
    with installation.database.read() as connection:
        assert uuid not in {one.segment_uuid for one in readiness.stored(connection)}


def test_who_is_no_administrator_may_not_read_it(installation: Installation, checked: dict[str, Any]) -> None:
    for path in (READINESS, f"{READINESS}/{checked['failover_segment_id']}"):
        assert installation.get(path, user="demo").status_code == 403


def test_what_another_invocation_has_found_later_counts_for_more(
    installation: Installation, checked: dict[str, Any]
) -> None:
    installation.sql("UPDATE readiness SET checked_at = now() + interval '1 minute', survives = 7")
    assert installation.tick("readiness").status_code == 204
    assert shown(installation, checked["failover_segment_id"])["survives"] == 7
    installation.sql("UPDATE readiness SET checked_at = now() - interval '1 minute'")
    assert installation.tick("readiness").status_code == 204
    assert shown(installation, checked["failover_segment_id"])["survives"] != 7


def test_what_is_left_over_of_a_host_is_shown(installation: Installation, checked: dict[str, Any]) -> None:
    uuid = SegmentUuid(checked["failover_segment_id"])
    host = HostReadiness(uuid=HostUuid(checked["uuid"]), name=checked["name"], fit=Fit.LEFT_OVER, left_over=("a", "b"))
    with installation.database.begin() as connection:
        now = readiness.take(connection, [uuid])[uuid].checked_at
        readiness.write(
            connection, SegmentReadiness(segment_uuid=uuid, survives=0, hosts=(host,)), "too little", now, now
        )
    one = shown(installation, uuid)
    assert [host["left_over"] for host in one["hosts"]] == [["a", "b"]]
    assert (one["survives"], one["trouble"]) == (0, "too little")
