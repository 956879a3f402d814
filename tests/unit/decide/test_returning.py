"""What must be so before a host returns, who goes home, and how a live migration stands."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from instance_ha.decide import returning
from instance_ha.decide.host_guard import reason_not_to_start
from instance_ha.decide.returning import AskAgain, Facts, Over, UnderWay, check, is_to_be_enabled, unmet
from instance_ha.decide.service import Reports, ServiceBefore
from instance_ha.models.cloud import LIVE_MIGRATION
from instance_ha.models.enums import NotificationStatus, VMoveStatus, VMoveType
from instance_ha.models.gates import Pause, Scope
from instance_ha.models.returns import ReturnPolicy, ReturnStatus

from tests.unit.build import NOW, host, migration, notification, server, service, vmove

OURS = "Masakari detected host failed."
PAUSE = Pause(
    uuid="pause", created_at=NOW, scope=Scope.CLOUD, reason="core switch", until=NOW + timedelta(hours=1), actor="1"
)
ALIVE = Reports(NOW, 2, NOW)
READY = Facts(
    host=host(on_maintenance=True, on_maintenance_for="notification"),
    open_recovery=None,
    pauses=(),
    service=service(disabled=True, disabled_reason=OURS),
    reports=ALIVE,
    evacuations=(migration("completed"), migration("failed")),
    is_asked_for=False,
    reasons=frozenset({OURS}),
)


def test_a_host_returns_when_nothing_stands_in_its_way() -> None:
    assert unmet(READY) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"open_recovery": notification(status=NotificationStatus.RUNNING)}, "its recovery is open"),
        ({"host": host(on_maintenance=True)}, "an operator has put it on maintenance"),
        ({"pauses": (PAUSE,)}, "a pause is in force"),
        ({"service": None}, "Nova knows no compute service"),
        ({"service": service(up=False)}, "Nova calls its nova-compute down"),
        ({"reports": None}, "has not reported to Nova twice yet"),
        ({"reports": replace(ALIVE, count=1)}, "has not reported to Nova twice yet"),
        ({"evacuations": (migration("done"),)}, "has not removed the guests of 1 evacuated instances"),
        ({"evacuations": (migration("accepted"),)}, "has not removed the guests of 1 evacuated instances"),
        ({"service": service(disabled=True, disabled_reason="disk is being replaced")}, "disk is being replaced"),
    ],
)
def test_what_stands_in_the_way_is_named(change: dict[str, Any], named: str) -> None:
    (reason,) = unmet(replace(READY, **change))
    assert named in reason


def test_a_service_that_was_forced_down_counts_as_up_once_it_reports() -> None:
    forced = service(up=False, forced_down=True, disabled=True, disabled_reason=OURS)
    assert unmet(replace(READY, service=forced)) == []
    assert unmet(replace(READY, service=forced, reports=None)) != []


def test_an_operator_may_bring_back_what_somebody_has_disabled_meanwhile() -> None:
    disabled = service(disabled=True, disabled_reason="disk is being replaced")
    assert unmet(replace(READY, service=disabled, is_asked_for=True)) == []


@pytest.mark.parametrize(
    ("reason", "was_disabled", "is_asked_for", "enabled"),
    [
        (OURS, False, False, True),
        (OURS, True, False, True),  # by us, when its nova-compute had failed
        ("spare", True, True, False),
        ("repair", False, True, True),
        ("repair", False, False, False),
    ],
)
def test_a_service_that_was_disabled_before_the_death_stays_so(
    reason: str, was_disabled: bool, is_asked_for: bool, enabled: bool
) -> None:
    before = ServiceBefore("service", was_disabled, forced_down=False)
    disabled = service(disabled=True, disabled_reason=reason)
    assert is_to_be_enabled(disabled, before, {OURS}, is_asked_for=is_asked_for) is enabled
    assert not is_to_be_enabled(service(), before, {OURS}, is_asked_for=is_asked_for)


def test_a_host_that_was_waited_for_for_long_is_checked_less_often() -> None:
    assert returning.check_again_at(NOW, NOW) - NOW == timedelta(seconds=10)
    assert returning.check_again_at(NOW - timedelta(days=3), NOW) - NOW == timedelta(seconds=60)


HOME = vmove(type=VMoveType.LIVE_MIGRATION, source_host="compute2", target_host="compute1", last_migration_id=3)


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({}, None),
        ({"vm_state": "paused"}, None),
        ({"host": "compute1"}, "it is on compute1 already"),
        ({"host": "compute3"}, "it is on compute3, where no recovery has put it"),
        ({"locked": True}, "it is locked"),
        ({"vm_state": "stopped"}, "it is stopped"),
        ({"task_state": "powering-off"}, "it is busy: powering-off"),
    ],
)
def test_only_who_is_where_its_evacuation_has_put_it_goes_home(about: dict[str, Any], reason: str | None) -> None:
    found = returning.reason_to_stay(HOME, server(**({"host": "compute2"} | about)))
    assert (found is None) is (reason is None)
    assert reason is None or reason in (found or "")
    assert returning.reason_to_stay(HOME, None) == "the instance was deleted"


AT_WORK = {"host": "compute2", "task_state": "migrating"}


@pytest.mark.parametrize(
    ("shown", "record", "age", "found"),
    [
        (AT_WORK, migration("running", id=4, kind=LIVE_MIGRATION), 30, UnderWay()),
        (AT_WORK, None, 300, UnderWay()),
        ({"host": "compute1"}, migration("completed", id=4), 30, Over(VMoveStatus.SUCCEEDED)),
        ({"host": "compute1"} | {"task_state": "migrating"}, migration("running", id=4), 30, UnderWay()),
        ({"host": "compute3"}, migration("completed", id=4), 30, VMoveStatus.IGNORED),
        ({"host": "compute2"}, migration("error", id=4), 30, VMoveStatus.FAILED),
        ({"host": "compute2"}, migration("cancelled", id=4), 30, VMoveStatus.FAILED),
        ({"host": "compute2"}, migration("error", id=3), 30, UnderWay()),  # of an earlier one
        ({"host": "compute2"}, None, 30, UnderWay()),
        ({"host": "compute2"}, None, 130, AskAgain()),
        (AT_WORK, migration("running", id=4), 3601, VMoveStatus.FAILED),
        (None, None, 30, VMoveStatus.IGNORED),
    ],
)
def test_how_a_live_migration_stands(shown: dict[str, Any] | None, record: Any, age: float, found: Any) -> None:
    seen = server(**shown) if shown is not None else None
    finding = check(HOME, seen, record, NOW + timedelta(seconds=age), 120, 3600)
    assert (finding.status if isinstance(finding, Over) and isinstance(found, VMoveStatus) else finding) == found


def test_an_instance_that_nova_has_left_in_error_is_said_to_be() -> None:
    left = server(host="compute2", vm_state="error", fault="RemoteError")
    found = check(HOME, left, migration("error", id=4), NOW, 120, 3600)
    assert found == Over(
        VMoveStatus.FAILED, "Nova could not live-migrate it: RemoteError; Nova has left it in error on compute2"
    )


def names(*statuses: VMoveStatus) -> Sequence[Any]:
    """Moves that have ended so."""
    return [vmove(instance_name=f"vm-{n}", status=status, message="why") for n, status in enumerate(statuses, 1)]


def test_the_account_of_the_moves_counts_and_names() -> None:
    moves = names(VMoveStatus.SUCCEEDED, VMoveStatus.FAILED, VMoveStatus.IGNORED)
    assert returning.text(moves) == "1 of 3 instances went home, 1 failed: vm-2 (why), 1 stay: vm-3 (why)"
    assert returning.text([]) == ""


def test_a_held_recovery_that_has_evacuated_nothing_forbids_no_start() -> None:
    held = notification(status=NotificationStatus.RUNNING, held_since=NOW)
    assert reason_not_to_start(None, has_evacuated=False) is None
    assert reason_not_to_start(held, has_evacuated=False) is None
    assert reason_not_to_start(held, has_evacuated=True) is not None
    assert reason_not_to_start(notification(), has_evacuated=False) is not None


@pytest.mark.parametrize(
    ("about", "failed", "stopped_by", "policy", "expected"),
    [
        ({}, False, None, ReturnPolicy.MANUAL, None),
        ({"on_maintenance": True, "on_maintenance_for": "notification"}, False, None, ReturnPolicy.AUTO, None),
        ({"on_maintenance": True}, False, None, ReturnPolicy.MANUAL, (ReturnStatus.FAILED, "an operator has put host")),
        ({}, True, None, ReturnPolicy.MANUAL, (ReturnStatus.FAILED, "host compute1 has failed again")),
        ({}, False, "ada", ReturnPolicy.MANUAL, (ReturnStatus.STOPPED, "an operator has stopped it")),
        ({}, False, None, ReturnPolicy.NEVER, (ReturnStatus.FAILED, "the policy of the segment")),
    ],
)
def test_what_comes_while_a_host_is_brought_back_ends_its_return(
    about: dict[str, Any],
    failed: bool,
    stopped_by: str | None,
    policy: ReturnPolicy,
    expected: tuple[ReturnStatus, str] | None,
) -> None:
    found = returning.given_up(host(**about), notification() if failed else None, stopped_by, policy)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert (found[0], found[1].startswith(expected[1])) == (expected[0], True)
