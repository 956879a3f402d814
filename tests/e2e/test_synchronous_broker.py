"""As on Knative with its default broker: it writes events anew, and answers when the function has ended."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import requests
from flask import Request
from instance_ha.models.triggers import EVACUATE_INSTANCE, RECOVER_HOST, RECOVER_INSTANCE
from instance_ha_simulator.brokers import rewritten
from instance_ha_simulator.cloud.server import LoopbackServer

from local.hosting import InProcess
from local.runtime import Options, Runtime, without_cloud
from stack import Function
from tests.e2e.conftest import CLOUD
from tests.e2e.rack import prepare

FUNCTIONS = {kind.type: kind.function for kind in (EVACUATE_INSTANCE, RECOVER_HOST, RECOVER_INSTANCE)}


class Broker:
    """Takes every event at one address, and calls the function that its type is for before it answers."""

    def __init__(self) -> None:
        self.functions = ""
        self.answers: Counter[int] = Counter()
        self._server = LoopbackServer(self._answer, 0, 64)
        self._server.start()
        self.url = f"{self._server.url}/instance-ha/instance-ha"
        self.stop = self._server.stop

    def between(self, functions: Iterable[Function], environ: Mapping[str, str]) -> InProcess:
        """Host functions that send their triggers here."""
        self.functions = environ["INSTANCE_HA_TRIGGER_SINK"]
        return InProcess(functions, {**environ, "INSTANCE_HA_TRIGGER_SINK": self.url})

    def _answer(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        url = self.functions.replace("{function}", FUNCTIONS[request.headers["ce-type"]])
        headers = rewritten(dict(request.headers))
        code = requests.post(url, data=request.get_data(), headers=headers, timeout=90).status_code
        self.answers[code] += 1
        start_response("202 Accepted" if code < 300 else "500 Internal Server Error", [("Content-Length", "0")])
        return []


def test_a_host_of_ten_is_recovered_through_a_broker_that_answers_late_and_spells_anew(state_dir: Any) -> None:
    settings = {"invocation_time": "4", "lease_time": "8"}
    settings |= {"sweep_grace": "3600", "retry_notification_new_status_interval": "3600"}  # no help by sweep
    cloud = CLOUD | {"service_down_time": 6.0}  # an invocation ends before the host is down
    environ = without_cloud(os.environ)
    broker = Broker()
    options = Options(
        state_dir, 0, broker.between, durable=False, direct_events=True, sim=cloud, settings=settings, environ=environ
    )
    try:
        with Runtime(options) as runtime:
            rack = prepare(runtime, 10)
            assert rack.wait(rack.fail()) == "finished"
            assert rack.seen() == {("ACTIVE", False)}
            assert rack.evacuations() == [1] * 10
            assert set(broker.answers) == {204}
    finally:
        broker.stop()
