from datetime import timedelta

import pytest
from instance_ha.decide.reset import Reset, reset, was_shut_off
from instance_ha.models.cloud import PowerAction

from tests.unit.build import NOW, server, service

ALIVE = service(up=True, updated_at=NOW)
BOOTED = Reset(NOW, is_certain=True)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def stop(**about: object) -> PowerAction:
    values = {"name": "stop", "request_id": "req-1", "foreign": False, "by_nova": True, "at": NOW + minutes(1)}
    return PowerAction(**(values | about))  # type: ignore[arg-type]


def test_a_host_that_has_booted_about_when_it_was_reported_was_reset() -> None:
    found = reset(ALIVE, minutes(5), NOW - minutes(3), NOW)
    assert found == Reset(NOW - minutes(6), is_certain=True)  # uptimes are rounded down to the minute


def test_a_host_that_has_been_up_for_long_was_not_reset() -> None:
    assert reset(ALIVE, minutes(14), NOW - minutes(3), NOW) is None


def test_what_nova_does_not_tell_proves_no_reset() -> None:
    found = reset(ALIVE, None, NOW - minutes(3), NOW)
    assert found is not None
    assert not found.is_certain
    assert reset(service(updated_at=None), minutes(5), NOW - minutes(3), NOW) is None


def test_an_instance_that_nova_has_found_off_since_the_boot_ran_before() -> None:
    assert was_shut_off(server(vm_state="stopped"), stop(), BOOTED)


@pytest.mark.parametrize(
    "last",
    [
        stop(by_nova=False, foreign=True),  # its owner
        stop(by_nova=False),  # we
        stop(at=NOW - minutes(1)),  # shut down from inside before the reset
        stop(at=None),
        stop(before=PowerAction(name="pause", request_id="req-0", foreign=True)),
        stop(name="start"),
        None,
    ],
)
def test_an_instance_that_is_off_for_another_reason_is_left(last: PowerAction | None) -> None:
    assert not was_shut_off(server(vm_state="stopped"), last, BOOTED)


@pytest.mark.parametrize("about", [{"vm_state": "active"}, {"vm_state": "stopped", "task_state": "powering-on"}])
def test_an_instance_that_is_not_at_rest_and_stopped_is_left(about: dict[str, str]) -> None:
    assert not was_shut_off(server(**about), stop(), BOOTED)
