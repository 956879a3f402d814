"""As we are installed on OpenFaaS: events go straight to functions, and their senders do not wait for the work."""

import os
from typing import Any

import pytest

from local.hosting import Hosting, InProcess, Isolated
from local.runtime import Options, Runtime, without_cloud
from tests.e2e.conftest import CLOUD
from tests.e2e.rack import prepare


@pytest.mark.parametrize("hosting", [InProcess, Isolated], ids=["one-process", "isolated"])
def test_a_host_of_ten_is_recovered_without_a_queue(state_dir: Any, hosting: Hosting) -> None:
    # An invocation ends before the host is down, and hands over to another of the same function.
    settings = {"trigger_answer_timeout": "0.5", "invocation_time": "4", "lease_time": "8"}
    settings |= {"sweep_grace": "3600", "retry_notification_new_status_interval": "3600"}  # no help by sweep
    cloud = CLOUD | {"service_down_time": 6.0}  # longer than the report's sender waits
    environ = without_cloud(os.environ)
    options = Options(
        state_dir, 0, hosting, durable=False, direct_events=True, sim=cloud, settings=settings, environ=environ
    )
    with Runtime(options) as runtime:
        rack = prepare(runtime, 10)
        assert rack.wait(rack.fail()) == "finished"
        assert rack.seen() == {("ACTIVE", False)}
        assert rack.evacuations() == [1] * 10
