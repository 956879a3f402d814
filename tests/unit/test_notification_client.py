"""A report on the wire, and what its answers mean."""

from typing import Any

import flask
import pytest
import requests
from instance_ha.models.errors import CloudTimeout, CloudUnavailable
from instance_ha.models.health import NotificationRequest
from instance_ha.notification_client import HttpNotificationClient
from instance_ha_simulator.cloud.adapter import session
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session

from tests.unit.build import NOW

PAYLOAD = {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
REPORT = NotificationRequest(hostname="compute1", type="COMPUTE_HOST", generated_time=NOW, payload=PAYLOAD)


def _client(http: requests.Session) -> HttpNotificationClient:
    return HttpNotificationClient(Adapter(Session(NoAuth(), session=http), endpoint_override="http://sim.test/v1"), 5)


def _answering(code: int, body: Any, seen: list[Any]) -> HttpNotificationClient:
    app = flask.Flask("api")

    @app.post("/v1/notifications")
    def create() -> Any:
        seen.append((flask.request.get_json(), dict(flask.request.headers)))
        return body, code

    return _client(session(app))


def test_a_report_is_what_stock_monitors_send() -> None:
    seen: list[Any] = []
    assert _answering(202, {"notification": {}}, seen).post(REPORT).final
    ((body, headers),) = seen
    assert body == {
        "notification": {
            "type": "COMPUTE_HOST",
            "hostname": "compute1",
            "generated_time": "2026-11-22T03:00:00.000000",
            "payload": PAYLOAD,
        }
    }
    assert not any("version" in name.lower() for name in headers)


@pytest.mark.parametrize(
    ("code", "final"), [(202, True), (400, True), (409, True), (401, False), (403, False), (404, False), (500, False)]
)
def test_taken_known_and_wrong_reports_are_final_and_all_others_are_not(code: int, final: bool) -> None:
    assert _answering(code, {"conflict": {"code": code, "message": "why"}}, []).post(REPORT).final is final


def test_the_reason_of_a_refusal_is_reported() -> None:
    assert _answering(409, {"conflictingRequest": {"message": "known"}}, []).post(REPORT).text == "known"
    assert _answering(502, "<html>", []).post(REPORT).text == "<html>"


@pytest.mark.parametrize(
    ("error", "raised"),
    [(requests.ConnectionError("no"), CloudUnavailable), (requests.Timeout("slow"), CloudTimeout)],
    ids=["unreachable", "slow"],
)
def test_no_answer_is_a_passing_trouble(error: Exception, raised: type[Exception]) -> None:
    class Broken(requests.adapters.BaseAdapter):
        def send(self, *_: Any, **__: Any) -> Any:
            raise error

        def close(self) -> None:
            pass

    http = requests.Session()
    http.mount("http://", Broken())
    with pytest.raises(raised):
        _client(http).post(REPORT)
