import pytest
from instance_ha.decide import power
from instance_ha.decide.instances import InstancePolicy
from instance_ha.decide.power import Broken, Leave, Step
from instance_ha.models.cloud import PowerAction
from instance_ha.models.enums import NotificationStatus

from tests.unit.build import server

POLICY = InstancePolicy()
HA = {"HA_Enabled": "True"}
OWNER_STOPPED = PowerAction(name="stop", foreign=True)
OWNER_STARTED = PowerAction(name="start", foreign=True)
WE_STOPPED = PowerAction(name="stop", foreign=False)
WE_STARTED = PowerAction(name="start", foreign=False)


def _ignored(verdict: object) -> bool:
    return isinstance(verdict, Leave) and verdict.status is NotificationStatus.IGNORED


def test_an_instance_with_the_metadata_key_on_the_reported_host_may_be_recovered() -> None:
    assert power.may_recover(server(metadata=HA), "compute1", POLICY, process_all=False) is None


def test_without_the_metadata_key_only_when_all_are() -> None:
    refusal = power.may_recover(server(), "compute1", POLICY, process_all=False)
    assert refusal is not None
    assert refusal.status is NotificationStatus.FINISHED
    assert power.may_recover(server(), "compute1", POLICY, process_all=True) is None


@pytest.mark.parametrize("host", ["compute2", None])
def test_an_instance_that_is_not_on_the_reported_host_is_ignored(host: str | None) -> None:
    assert _ignored(power.may_recover(server(metadata=HA, host=host), "compute1", POLICY, process_all=True))


@pytest.mark.parametrize("found", [None, server(vm_state="deleted"), server(vm_state="soft-delete")])
def test_a_deleted_instance_is_ignored_in_every_task(found: object) -> None:
    assert _ignored(power.may_recover(found, "compute1", POLICY, process_all=True))  # type: ignore[arg-type]
    assert _ignored(power.next_to_stop(found))  # type: ignore[arg-type]
    assert _ignored(power.next_to_start(found, asked=False))  # type: ignore[arg-type]
    assert _ignored(power.next_to_confirm(found))  # type: ignore[arg-type]


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
    assert power.next_to_stop(server(vm_state=vm_state, task_state=task_state)) is step


@pytest.mark.parametrize("vm_state", ["paused", "suspended", "rescued", "shelved", "shelved_offloaded", "building"])
def test_what_its_owner_has_put_aside_is_ignored(vm_state: str) -> None:
    assert _ignored(power.next_to_stop(server(vm_state=vm_state)))


def test_after_a_crash_it_is_stopped_again_unless_somebody_else_has_started_it() -> None:
    assert power.stop_again(server(), None) is Step.STOP
    assert power.stop_again(server(), WE_STOPPED) is Step.STOP
    assert power.stop_again(server(), OWNER_STOPPED) is Step.STOP
    assert _ignored(power.stop_again(server(), OWNER_STARTED))


def test_what_an_earlier_attempt_has_started_is_not_stopped_again() -> None:
    assert isinstance(power.recovered_before(server(), WE_STARTED), Leave)
    assert power.recovered_before(server(), WE_STOPPED) is None
    assert power.recovered_before(server(), None) is None
    assert power.recovered_before(server(vm_state="error"), WE_STARTED) is None


def test_a_stopped_instance_is_started_but_not_when_a_user_has_stopped_it() -> None:
    stopped = server(vm_state="stopped")
    assert power.next_to_start(stopped, asked=False) is Step.START
    assert power.start(stopped, WE_STOPPED, asked=False) is Step.START
    assert power.start(stopped, None, asked=False) is Step.START
    assert _ignored(power.start(stopped, OWNER_STOPPED, asked=False))
    assert _ignored(power.start(stopped, OWNER_STOPPED, asked=True))


def test_a_start_that_nova_did_not_hear_is_asked_again_and_one_that_failed_is_not() -> None:
    stopped = server(vm_state="stopped")
    assert power.start(stopped, WE_STOPPED, asked=True) is Step.START
    assert isinstance(power.start(stopped, WE_STARTED, asked=True), Broken)


def test_a_start_under_way_is_not_asked_again() -> None:
    starting = server(vm_state="stopped", task_state="powering-on")
    assert power.next_to_start(starting, asked=True) is Step.REACHED
    assert power.next_to_start(starting, asked=False) is Step.WAIT
    assert power.next_to_start(server(), asked=True) is Step.REACHED


def test_what_is_neither_stopped_nor_active_cannot_be_started() -> None:
    assert isinstance(power.next_to_start(server(vm_state="paused"), asked=False), Broken)


def test_active_confirms_the_start_and_an_error_tells_novas_reason() -> None:
    assert power.next_to_confirm(server()) is Step.REACHED
    assert power.next_to_confirm(server(vm_state="stopped", task_state="powering-on")) is Step.WAIT
    broken = power.next_to_confirm(server(vm_state="error", fault="no such disk"))
    assert isinstance(broken, Broken)
    assert "no such disk" in broken.message
