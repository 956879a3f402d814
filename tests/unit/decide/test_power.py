from dataclasses import replace

import pytest
from instance_ha.decide import power
from instance_ha.decide.power import Broken, Leave, Step
from instance_ha.models.cloud import PowerAction

from tests.unit.build import server

OWNER_STOPPED = PowerAction(name="stop", request_id="req-2", foreign=True)
OWNER_STARTED = PowerAction(name="start", request_id="req-2", foreign=True)
WE_STOPPED = PowerAction(name="stop", request_id="req-2", foreign=False)
WE_STARTED = PowerAction(name="start", request_id="req-2", foreign=False)
STOPPED = server(vm_state="stopped")


@pytest.mark.parametrize(
    ("vm_state", "task_state", "step"),
    [
        ("active", None, Step.STOP),
        ("error", None, Step.STOP),
        ("active", "rebooting", Step.WAIT),
        ("active", "powering-off", Step.WAIT),
        ("resized", None, Step.RESET),
        ("stopped", None, Step.REACHED),
    ],
)
def test_what_runs_or_has_crashed_is_stopped_once_it_is_not_busy(
    vm_state: str, task_state: str | None, step: Step
) -> None:
    found = server(vm_state=vm_state, task_state=task_state)
    assert power.next_to_stop(found, OWNER_STARTED, None) is step


@pytest.mark.parametrize("last", [None, OWNER_STARTED, WE_STARTED])
def test_a_stop_that_was_written_down_and_that_nova_has_not_heard_is_asked(last: PowerAction | None) -> None:
    assert power.next_to_stop(server(), last, power.mark(last)) is Step.STOP


def test_a_stop_that_nova_has_heard_is_waited_for() -> None:
    assert power.next_to_stop(server(), WE_STOPPED, "req-1") is Step.WAIT
    assert power.next_to_stop(server(), OWNER_STOPPED, "req-1") is Step.WAIT


def test_what_its_owner_has_started_again_is_not_stopped_a_second_time() -> None:
    assert isinstance(power.next_to_stop(server(), OWNER_STARTED, "req-1"), Leave)


@pytest.mark.parametrize("last", [None, WE_STOPPED, WE_STARTED, OWNER_STARTED])
def test_a_stopped_instance_is_started(last: PowerAction | None) -> None:
    assert power.next_to_start(STOPPED, last) is Step.START


def test_what_its_owner_has_stopped_is_not_started() -> None:
    assert isinstance(power.next_to_start(STOPPED, OWNER_STOPPED), Leave)
    assert isinstance(power.next_to_confirm(STOPPED, OWNER_STOPPED), Leave)


def test_what_starts_or_runs_is_not_started_again() -> None:
    assert power.next_to_start(server(vm_state="stopped", task_state="powering-on"), None) is Step.REACHED
    assert power.next_to_start(server(), None) is Step.REACHED


def test_what_is_busy_is_not_started_yet_and_what_is_not_stopped_never() -> None:
    assert power.next_to_start(server(vm_state="stopped", task_state="rebuilding"), None) is Step.WAIT
    assert isinstance(power.next_to_start(server(vm_state="paused"), None), Broken)


def test_active_confirms_the_start() -> None:
    assert power.next_to_confirm(server(), None) is Step.REACHED
    assert power.next_to_confirm(server(vm_state="stopped", task_state="powering-on"), None) is Step.WAIT


def test_a_start_that_failed_is_told_with_novas_reason() -> None:
    broken = power.next_to_confirm(server(vm_state="error", fault="no such disk"), None)
    assert isinstance(broken, Broken)
    assert "no such disk" in broken.message
    assert isinstance(power.next_to_confirm(STOPPED, WE_STARTED), Broken)


@pytest.mark.parametrize(
    ("vm_state", "last", "expected"),
    [
        ("stopped", WE_STOPPED, Step.START),
        ("stopped", OWNER_STOPPED, None),
        ("stopped", replace(WE_STOPPED, by_nova=True), None),
        ("active", replace(WE_STARTED, before=OWNER_STOPPED), Step.STOP),
        ("active", replace(WE_STARTED, before=WE_STOPPED), None),
        ("active", replace(OWNER_STARTED, before=OWNER_STOPPED), None),
        ("active", WE_STARTED, None),
        ("error", WE_STOPPED, None),
        ("active", None, None),
    ],
)
def test_only_a_request_of_ours_that_came_late_is_undone(
    vm_state: str, last: PowerAction | None, expected: Step | None
) -> None:
    assert power.carried_out_late(server(vm_state=vm_state), last) is expected
    assert power.carried_out_late(server(vm_state=vm_state, task_state="powering-off"), last) is None
