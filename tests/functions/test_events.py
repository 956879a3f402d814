"""Events, ticks and health of the functions, and what is answered while Postgres is down."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from instance_ha.models.triggers import RECOVER_HOST, RECOVER_INSTANCE, Kind, Trigger
from instance_ha.triggers.codec import encode
from instance_ha_simulator.brokers import rewritten

from tests.functions.conftest import Installation, fault, unique

KINDS = [RECOVER_HOST, RECOVER_INSTANCE]
FUNCTIONS = [
    "api-hosts",
    "api-notifications",
    "api-segments",
    "console",
    "readiness",
    "recover-host",
    "recover-instance",
    "relay",
    "sweep",
    "purge",
]


def event(
    installation: Installation, kind: Kind, *, age: float = 0, key: bytes | None = None
) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a signed event about nothing."""
    folder = installation.runtime.options.state_dir
    key = key or (folder / "secrets/trigger-key").read_bytes().strip()
    return encode(Trigger(kind, str(uuid4())), datetime.now(UTC) - timedelta(seconds=age), key)


def send(installation: Installation, kind: Kind, headers: dict[str, str], body: bytes) -> requests.Response:
    """Send an event to a function."""
    return installation.post(f"/function/{kind.function}", data=body, headers=headers, user=None, version=None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.function)
def test_an_event_about_nothing_is_accepted_and_does_nothing(installation: Installation, kind: Kind) -> None:
    assert send(installation, kind, *event(installation, kind)).status_code == 204


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.function)
def test_an_unsigned_event_is_forbidden(installation: Installation, kind: Kind) -> None:
    headers, body = event(installation, kind)
    del headers["ce-signature"]
    assert fault(send(installation, kind, headers, body)) == (403, "forbidden")


@pytest.mark.parametrize("name", ["ce-id", "ce-source", "ce-subject", "ce-time", "ce-requestid", "ce-signature"])
def test_an_altered_event_is_forbidden(installation: Installation, name: str) -> None:
    headers, body = event(installation, RECOVER_HOST)
    headers[name] = "2026-11-22T00:00:00+00:00" if name == "ce-time" else "altered"
    assert fault(send(installation, RECOVER_HOST, headers, body)) == (403, "forbidden")


def test_an_event_signed_with_another_key_is_forbidden(installation: Installation) -> None:
    headers, body = event(installation, RECOVER_HOST, key=b"another")
    assert fault(send(installation, RECOVER_HOST, headers, body)) == (403, "forbidden")


def test_an_event_with_other_data_is_forbidden(installation: Installation) -> None:
    headers, _ = event(installation, RECOVER_HOST)
    assert fault(send(installation, RECOVER_HOST, headers, b'{"uuid": "another"}')) == (403, "forbidden")


@pytest.mark.parametrize("age", [901, -62])
def test_an_event_that_is_too_old_or_from_the_future_is_forbidden(installation: Installation, age: float) -> None:
    answer = send(installation, RECOVER_HOST, *event(installation, RECOVER_HOST, age=age))
    assert fault(answer) == (403, "forbidden")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.function)
def test_what_is_no_event_is_a_bad_request(installation: Installation, kind: Kind) -> None:
    assert fault(send(installation, kind, {"ce-signature": "0"}, b"{}")) == (400, "badRequest")


def test_an_event_of_another_type_is_a_bad_request(installation: Installation) -> None:
    headers, body = event(installation, RECOVER_INSTANCE)
    assert fault(send(installation, RECOVER_HOST, headers, body)) == (400, "badRequest")


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"], ids=["nul", "surrogate"])
@pytest.mark.parametrize("name", ["subject", "type", "id"])
def test_an_event_with_a_nul_or_a_lone_surrogate_is_a_bad_request(
    installation: Installation, name: str, text: str
) -> None:
    headers, body = event(installation, RECOVER_HOST)
    attributes = {key[3:]: value for key, value in headers.items() if key.startswith("ce-")}
    structured = json.dumps(attributes | {"data": json.loads(body), name: text}).encode()
    answer = send(installation, RECOVER_HOST, {"Content-Type": "application/cloudevents+json"}, structured)
    assert fault(answer) == (400, "badRequest")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.function)
def test_an_event_that_a_broker_has_written_anew_is_accepted(installation: Installation, kind: Kind) -> None:
    headers, body = event(installation, kind)
    assert send(installation, kind, rewritten(headers), body).status_code == 204


def test_a_signature_that_is_not_ascii_is_forbidden(installation: Installation) -> None:
    headers, body = event(installation, RECOVER_HOST)
    headers["ce-signature"] = "%C3%A9"
    assert fault(send(installation, RECOVER_HOST, headers, body)) == (403, "forbidden")


@pytest.mark.parametrize("function", ["recover-host", "recover-instance", "relay", "sweep"])
def test_events_and_ticks_are_posted(installation: Installation, function: str) -> None:
    assert fault(installation.get(f"/function/{function}")) == (405, "badMethod")


def test_a_tick_sweeps(installation: Installation) -> None:
    answer = installation.tick("sweep")
    assert (answer.status_code, answer.text) == (204, "")


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("path", ["health", "ready"])
def test_every_function_tells_that_it_is_alive_and_ready(installation: Installation, function: str, path: str) -> None:
    assert installation.get(f"/function/{function}/_/{path}", user=None).status_code == 200


def test_there_is_nothing_else_below_the_health_path(installation: Installation) -> None:
    assert fault(installation.get("/function/sweep/_/secrets")) == (404, "itemNotFound")


@pytest.fixture(scope="module")
def outage(installation: Installation) -> Iterator[dict[str, Any]]:
    """What was answered before, while and after Postgres was down."""
    segment = installation.segment()
    installation.get("/v1/segments")
    asked = {
        "health": "/function/api-hosts/_/health",
        "list": "/v1/segments",
        "show": f"/v1/segments/{segment['uuid']}",
        **{f"ready of {name}": f"/function/{name}/_/ready" for name in FUNCTIONS},
    }
    postgres = installation.runtime.postgres
    assert postgres is not None
    postgres.stop()
    try:
        down = {name: installation.get(path) for name, path in asked.items()}
        down["create"] = installation.post("/v1/segments", {"segment": {"name": unique("s")} | BODY})
        down["tick"] = installation.tick("sweep")
        down["event"] = send(installation, RECOVER_HOST, *event(installation, RECOVER_HOST))
    finally:
        postgres.start()
    after = {name: installation.get(path).status_code for name, path in asked.items()}
    yield {"down": down, "after": after}


BODY = {"recovery_method": "auto", "service_type": "COMPUTE"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_is_ready_while_postgres_is_down(outage: dict[str, Any], name: str) -> None:
    assert fault(outage["down"][f"ready of {name}"]) == (503, "serviceUnavailable")


def test_a_function_is_alive_while_postgres_is_down(outage: dict[str, Any]) -> None:
    assert outage["down"]["health"].status_code == 200


@pytest.mark.parametrize("name", ["list", "show", "create", "event"])
def test_while_postgres_is_down_the_answer_is_503_and_says_when_to_come_again(
    outage: dict[str, Any], name: str
) -> None:
    answer = outage["down"][name]
    assert fault(answer) == (503, "serviceUnavailable")
    assert answer.headers["Retry-After"] == "5"


def test_a_503_of_the_api_has_a_request_id(outage: dict[str, Any]) -> None:
    assert re.fullmatch(r"req-[0-9a-f-]{36}", outage["down"]["list"].headers.get("x-openstack-request-id", ""))


def test_a_tick_while_postgres_is_down_leaves_the_work_to_the_next(outage: dict[str, Any]) -> None:
    assert outage["down"]["tick"].status_code == 204


def test_everything_works_again_once_postgres_is_back(outage: dict[str, Any]) -> None:
    assert {200} == set(outage["after"].values())


def test_no_outage_tells_where_postgres_is(installation: Installation, outage: dict[str, Any]) -> None:
    port = installation.runtime.database_url.rsplit(":", 1)[1].split("/")[0]
    assert not [name for name, answer in outage["down"].items() if port in answer.text]


def test_a_dead_letter_is_logged_and_ends_there(installation: Installation) -> None:
    headers, body = event(installation, RECOVER_HOST)
    headers |= {"ce-knativeerrorcode": "400"}

    answer = installation.post("/function/sweep/dead-letters", data=body, headers=headers, user=None, version=None)

    assert answer.status_code == 204
    assert any(
        "dead letter" in line and headers["ce-subject"] in line for line in installation.log.getvalue().splitlines()
    )
    assert headers["ce-signature"] not in installation.log.getvalue()


def test_a_dead_letter_that_a_broker_has_written_anew_is_logged(installation: Installation) -> None:
    headers, body = event(installation, RECOVER_HOST)
    arrived = rewritten(headers) | {"Ce-Knativeerrorcode": "500"}
    path = "/function/sweep/dead-letters"
    assert installation.post(path, data=body, headers=arrived, user=None, version=None).status_code == 204


def test_a_dead_letter_that_is_none_of_ours_is_forbidden(installation: Installation) -> None:
    headers, body = event(installation, RECOVER_HOST, key=b"another")
    answer = installation.post("/function/sweep/dead-letters", data=body, headers=headers, user=None, version=None)
    assert fault(answer) == (403, "forbidden")
