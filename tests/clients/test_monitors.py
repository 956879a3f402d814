"""The notifier of stock masakari-monitors, with the payload of each monitor."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest
from instance_ha_simulator.cloud.faults import Rule

from tests.clients.recorder import Recorder
from tests.functions.conftest import Installation, unique

ROOT = Path(__file__).parents[2]
RETRIES = 2
INSTANCE = "9f0b4a2c-1de8-4c7a-a8a1-f3f8a5b0c1d2"
HOST = {
    "pacemaker-online": {"event": "STARTED", "cluster_status": "ONLINE", "host_status": "NORMAL"},
    "pacemaker-offline": {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"},
    "pacemaker-not-confirmed": {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "UNKNOWN"},
    "consul-up": {"event": "STARTED", "cluster_status": "ONLINE", "host_status": "NORMAL"},
    "consul-down": {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"},
    "kubernetes": {"event": "STOPPED", "host_status": "NORMAL"},
}
LIBVIRT = [
    ("LIFECYCLE", "SUSPENDED_IOERROR"),
    ("LIFECYCLE", "SUSPENDED_WATCHDOG"),
    ("LIFECYCLE", "SUSPENDED_API_ERROR"),
    ("LIFECYCLE", "STOPPED_SHUTDOWN"),
    ("LIFECYCLE", "STOPPED_DESTROYED"),
    ("LIFECYCLE", "STOPPED_FAILED"),
    ("LIFECYCLE", "SHUTDOWN_FINISHED"),
    ("REBOOT", "UNKNOWN"),
    ("WATCHDOG", "WATCHDOG_NONE"),
    ("WATCHDOG", "WATCHDOG_PAUSE"),
    ("WATCHDOG", "WATCHDOG_RESET"),
    ("WATCHDOG", "WATCHDOG_POWEROFF"),
    ("WATCHDOG", "WATCHDOG_SHUTDOWN"),
    ("WATCHDOG", "WATCHDOG_DEBUG"),
    ("IO_ERROR", "IO_ERROR_NONE"),
    ("IO_ERROR", "IO_ERROR_PAUSE"),
    ("IO_ERROR", "IO_ERROR_REPORT"),
    ("IO_ERROR_REASON", "UNKNOWN"),
    ("CONTROL_ERROR", "UNKNOWN"),
]


class Monitors:
    """The process of the monitors."""

    def __init__(self, config: Path) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.clients.monitors", "--config-file", str(config)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)

    def begin(self, *work: Any) -> None:
        """Have something done, and do not wait for it."""
        assert self._process.stdin is not None
        print(json.dumps(work), file=self._process.stdin, flush=True)

    def end(self) -> None:
        """Wait until what was begun is done."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "done\n"

    def do(self, *work: Any) -> None:
        """Have something done, and wait until it is."""
        self.begin(*work)
        self.end()

    def stop(self) -> None:
        """End the process."""
        self._process.communicate(timeout=20)


@pytest.fixture(scope="module")
def monitors(
    installation: Installation, proxy: Recorder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Monitors]:
    """The monitors of a compute host, configured by a file."""
    cloud = json.loads(installation.runtime.clouds_yaml.read_text())["clouds"]["masakari"]
    file = tmp_path_factory.mktemp("monitors") / "masakarimonitors.conf"
    auth = "\n".join(f"{key} = {value}" for key, value in cloud["auth"].items())
    retry = f"api_retry_max = {RETRIES}\napi_retry_interval = 0\n"
    sections = {
        "api": auth,
        "host": retry,
        "callback": retry.replace("api_", ""),
        "process": f"{retry}restart_retries = 0\nrestart_interval = 0",
    }
    file.write_text("".join(f"[{name}]\n{options}\n" for name, options in sections.items()))
    running = Monitors(file)
    yield running
    running.stop()


@pytest.fixture
def watched(installation: Installation) -> dict[str, Any]:
    """A host in a segment where reports are kept and nothing is done about them."""
    return installation.host(installation.segment(enabled=False))


def now() -> datetime:
    """Return the time as monitors have it: UTC, and not saying so."""
    return datetime.now(UTC).replace(tzinfo=None)


def stored(installation: Installation, host: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return type and payload of all that was reported of a host."""
    answer = installation.get(f"/v1/notifications?source_host_uuid={host['uuid']}")
    return [(one["type"], one["payload"]) for one in answer.json()["notifications"]]


def answers(recorder: Recorder) -> list[int]:
    """Return the status of each POST."""
    return [one.status for one in recorder.exchanges if one.method == "POST"]


def wait_until(happened: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something to happen."""
    until = monotonic() + seconds
    while not happened():
        assert monotonic() < until
        Event().wait(0.02)


@contextmanager
def keystone_answers(installation: Installation, status: int) -> Iterator[None]:
    """Let Keystone answer this when it is asked whether a token is good."""
    installation.cloud.faults.add(Rule("GET", "/identity/v3/auth/tokens", status=status))
    try:
        yield
    finally:
        installation.cloud.faults.clear()


@pytest.mark.parametrize("payload", HOST.values(), ids=HOST)
def test_what_a_host_monitor_reports_is_stored_as_it_was_sent(
    monitors: Monitors, installation: Installation, recorder: Recorder, watched: dict[str, Any], payload: dict[str, str]
) -> None:
    monitors.do("send", watched["name"], "COMPUTE_HOST", payload)
    assert stored(installation, watched) == [("COMPUTE_HOST", payload)]
    assert answers(recorder) == [202]


@pytest.mark.parametrize(("event", "detail"), LIBVIRT)
def test_what_the_instance_monitor_reports_is_stored_as_it_was_sent(
    monitors: Monitors, installation: Installation, recorder: Recorder, watched: dict[str, Any], event: str, detail: str
) -> None:
    monitors.do("libvirt", watched["name"], INSTANCE, event, detail)
    payload = {"event": event, "instance_uuid": INSTANCE, "vir_domain_event": detail}
    assert stored(installation, watched) == [("VM", payload)]
    assert answers(recorder) == [202]


def test_what_the_introspective_monitor_reports_is_stored_as_it_was_sent(
    monitors: Monitors, installation: Installation, recorder: Recorder, watched: dict[str, Any]
) -> None:
    payload = {
        "event": "QEMU_GUEST_AGENT_ERROR",
        "instance_uuid": INSTANCE,
        "vir_domain_event": "STOPPED_FAILED",
    }
    monitors.do("send", watched["name"], "VM", payload)
    assert stored(installation, watched) == [("VM", payload)]
    assert answers(recorder) == [202]


def test_what_the_process_monitor_reports_is_stored_as_it_was_sent(
    monitors: Monitors, installation: Installation, recorder: Recorder
) -> None:
    host = installation.host(installation.segment(enabled=False), name=socket.gethostname())
    monitors.do("process", "/usr/local/bin/nova-compute")
    assert stored(installation, host) == [("PROCESS", {"event": "STOPPED", "process_name": "nova-compute"})]
    assert answers(recorder) == [202]


def test_monitors_ask_for_no_version_and_tell_the_time_in_utc_without_a_zone(
    monitors: Monitors, recorder: Recorder, watched: dict[str, Any]
) -> None:
    before = now()
    monitors.do("send", watched["name"], "COMPUTE_HOST", HOST["kubernetes"])
    (sent,) = recorder.exchanges
    assert (sent.asked, sent.version) == ("POST /v1/notifications", None)
    assert set(sent.body["notification"]) == {"type", "hostname", "generated_time", "payload"}
    assert before <= datetime.fromisoformat(sent.body["notification"]["generated_time"]) <= now()


def test_a_report_of_an_unregistered_host_is_refused_with_400_and_dropped(
    monitors: Monitors, recorder: Recorder
) -> None:
    monitors.do("send", unique("stranger"), "COMPUTE_HOST", HOST["consul-down"])
    assert answers(recorder) == [400]


def test_a_report_that_another_monitor_has_sent_already_is_refused_with_409_and_dropped(
    monitors: Monitors, installation: Installation, recorder: Recorder, watched: dict[str, Any]
) -> None:
    for _ in range(3):
        monitors.do("send", watched["name"], "COMPUTE_HOST", HOST["consul-down"])
    assert answers(recorder) == [202, 409, 409]
    assert len(stored(installation, watched)) == 1


def test_a_report_of_a_host_on_maintenance_is_refused_with_409_and_dropped(
    monitors: Monitors, installation: Installation, recorder: Recorder, segment: dict[str, Any]
) -> None:
    host = installation.host(segment, on_maintenance=True)
    monitors.do("send", host["name"], "COMPUTE_HOST", HOST["consul-down"])
    assert answers(recorder) == [409]


@pytest.mark.parametrize(("keystone", "answer"), [(500, 503), (404, 401)], ids=["503", "401"])
def test_a_report_is_sent_again_until_it_is_accepted(
    monitors: Monitors,
    installation: Installation,
    recorder: Recorder,
    watched: dict[str, Any],
    keystone: int,
    answer: int,
) -> None:
    with keystone_answers(installation, keystone):
        monitors.begin("send", watched["name"], "COMPUTE_HOST", HOST["consul-down"], 1000)
        wait_until(lambda: answers(recorder).count(answer) >= 2)
    monitors.end()
    *refused, accepted = answers(recorder)
    assert (set(refused), accepted) == ({answer}, 202)
    assert stored(installation, watched) == [("COMPUTE_HOST", HOST["consul-down"])]


def test_a_report_that_meets_503_each_time_is_lost_after_the_retries(
    monitors: Monitors, installation: Installation, recorder: Recorder, watched: dict[str, Any]
) -> None:
    with keystone_answers(installation, 500):
        monitors.do("send", watched["name"], "COMPUTE_HOST", HOST["consul-down"])
    assert answers(recorder) == [503] * (1 + RETRIES)
    assert stored(installation, watched) == []


def test_a_report_that_meets_401_is_sent_with_a_new_token_at_each_try(
    monitors: Monitors, installation: Installation, recorder: Recorder, watched: dict[str, Any]
) -> None:
    with keystone_answers(installation, 404):
        monitors.do("send", watched["name"], "COMPUTE_HOST", HOST["consul-down"])
    assert answers(recorder) == [401, 401] * (1 + RETRIES)
    assert stored(installation, watched) == []
