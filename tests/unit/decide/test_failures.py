from datetime import timedelta
from typing import Any

import pytest
from instance_ha.decide.failures import (
    Close,
    Recover,
    evaluate,
    expired,
    host_changes,
    is_duplicate,
    over_budget,
    refusal,
)
from instance_ha.decide.flows import flows_for
from instance_ha.models.enums import (
    FINAL_NOTIFICATION,
    OPEN_NOTIFICATION,
    Flow,
    NotificationStatus,
    NotificationType,
    RecoveryMethod,
)
from instance_ha.models.rows import Notification

from tests.unit.build import NOW, STOPPED, host, notification, segment

MAINTENANCE = {"on_maintenance": True, "reserved": False}


def _closed(payload: dict[str, str]) -> NotificationStatus | None:
    verdict = evaluate(notification(payload=payload), segment())
    return verdict.status if isinstance(verdict, Close) else None


def test_a_stopped_host_in_an_enabled_segment_is_recovered() -> None:
    assert Recover((Flow.HOST_AUTO,), MAINTENANCE) == evaluate(notification(payload=STOPPED), segment())


def test_the_cluster_status_does_not_matter() -> None:
    assert _closed({"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "ONLINE"}) is None
    assert _closed({"event": "STOPPED", "host_status": "NORMAL"}) is None


def test_a_report_of_unknown_host_status_is_ignored() -> None:
    assert _closed({"event": "STOPPED", "host_status": "UNKNOWN"}) == NotificationStatus.IGNORED


def test_a_report_without_host_status_is_ignored() -> None:
    assert _closed({"event": "STOPPED"}) == NotificationStatus.IGNORED


def test_a_started_host_is_finished_at_once() -> None:
    assert _closed({"event": "STARTED", "host_status": "NORMAL"}) == NotificationStatus.FINISHED


def test_a_started_host_of_unknown_status_is_ignored_and_not_finished() -> None:
    assert _closed({"event": "STARTED", "host_status": "UNKNOWN"}) == NotificationStatus.IGNORED


def test_an_event_that_is_none_of_ours_is_ignored() -> None:
    assert _closed({"event": "PAUSED", "host_status": "NORMAL"}) == NotificationStatus.IGNORED


def test_nothing_is_recovered_in_a_disabled_segment() -> None:
    verdict = evaluate(notification(), segment(enabled=False))
    assert isinstance(verdict, Close)
    assert verdict.status == NotificationStatus.IGNORED
    assert "disabled" in verdict.message


def test_a_report_whose_segment_is_gone_fails() -> None:
    verdict = evaluate(notification(), None)
    assert isinstance(verdict, Close)
    assert verdict.status == NotificationStatus.FAILED


@pytest.mark.parametrize("method", RecoveryMethod)
def test_a_stopped_host_is_recovered_by_the_method_of_its_segment(method: RecoveryMethod) -> None:
    verdict = evaluate(notification(payload=STOPPED), segment(recovery_method=method))
    assert verdict == Recover(flows_for(NotificationType.COMPUTE_HOST, method), MAINTENANCE)


@pytest.mark.parametrize("status", sorted(OPEN_NOTIFICATION))
def test_an_equal_report_is_a_duplicate_for_as_long_as_the_first_is_open(status: NotificationStatus) -> None:
    later = NOW + timedelta(days=2)
    assert is_duplicate(notification(status=status), later, later, 180)


@pytest.mark.parametrize("status", sorted(FINAL_NOTIFICATION))
def test_an_equal_report_within_the_interval_is_a_duplicate_of_a_closed_one(status: NotificationStatus) -> None:
    soon = NOW + timedelta(seconds=180)
    assert is_duplicate(notification(status=status), soon, soon, 180)


@pytest.mark.parametrize("status", sorted(FINAL_NOTIFICATION))
def test_an_equal_report_after_the_interval_is_a_new_failure(status: NotificationStatus) -> None:
    late = NOW + timedelta(seconds=181)
    assert not is_duplicate(notification(status=status), late, late, 180)


def test_a_report_generated_long_before_the_first_but_sent_right_after_it_is_a_duplicate() -> None:
    done = notification(status=NotificationStatus.FINISHED)
    assert is_duplicate(done, NOW - timedelta(days=1), NOW + timedelta(seconds=1), 180)


def test_a_report_generated_with_the_first_but_sent_much_later_is_a_duplicate() -> None:
    done = notification(status=NotificationStatus.FINISHED)
    assert is_duplicate(done, NOW, NOW + timedelta(days=1), 180)


def test_a_report_from_before_the_interval_is_a_failure_of_its_own() -> None:
    done = notification(status=NotificationStatus.FINISHED)
    assert not is_duplicate(done, NOW - timedelta(seconds=181), NOW + timedelta(seconds=181), 180)


def test_with_interval_0_only_the_very_same_time_is_a_duplicate() -> None:
    done = notification(status=NotificationStatus.FINISHED)
    after = NOW + timedelta(microseconds=1)
    assert is_duplicate(done, NOW, after, 0)
    assert not is_duplicate(done, after, after, 0)


def _recovered(seconds: float, **about: Any) -> Notification:
    """A notification whose recovery took so long."""
    ended = NOW + timedelta(seconds=seconds)
    return notification(status=NotificationStatus.FINISHED, attempt=1, updated_at=ended, **about)


def test_what_happened_after_the_end_of_a_recovery_is_a_new_failure() -> None:
    later = NOW + timedelta(seconds=89)
    assert not is_duplicate(_recovered(1), later, later, 180)


def test_what_happened_during_a_recovery_is_the_failure_that_it_mends() -> None:
    during, now = NOW + timedelta(seconds=60), NOW + timedelta(seconds=90)
    assert is_duplicate(_recovered(80), during, now, 180)


def test_the_clock_of_a_monitor_that_is_ahead_makes_no_second_failure() -> None:
    ahead = timedelta(seconds=40)
    earlier = _recovered(20, generated_time=NOW + ahead)
    assert is_duplicate(earlier, NOW + ahead + timedelta(seconds=10), NOW + timedelta(seconds=30), 180)
    later = NOW + timedelta(seconds=60)
    assert not is_duplicate(earlier, later + ahead, later, 180)


def test_a_guest_is_restarted_for_its_agent_as_often_as_the_budget_allows_and_then_left_to_its_owner() -> None:
    assert over_budget(2, 3) is None
    refused = over_budget(3, 3)
    assert refused is not None
    assert refused.status is NotificationStatus.IGNORED


def test_what_was_closed_at_once_is_a_duplicate_within_the_interval_since_nothing_was_mended() -> None:
    closed = notification(status=NotificationStatus.IGNORED, updated_at=NOW)
    later = NOW + timedelta(seconds=89)
    assert is_duplicate(closed, later, later, 180)


def _refusal(kind: NotificationType, recovery: Notification | None) -> str | None:
    return refusal(host(on_maintenance=True), kind, recovery)


def test_a_host_that_an_operator_has_put_on_maintenance_is_left_alone() -> None:
    assert _refusal(NotificationType.COMPUTE_HOST, None) is not None


def test_the_death_of_a_host_whose_nova_compute_had_failed_before_is_accepted() -> None:
    process = notification(type=NotificationType.PROCESS, status=NotificationStatus.FINISHED)
    assert _refusal(NotificationType.COMPUTE_HOST, process) is None
    assert _refusal(NotificationType.PROCESS, process) is not None
    assert _refusal(NotificationType.VM, process) is not None


def test_a_nova_compute_may_be_reported_again_after_its_recovery_has_failed() -> None:
    process = notification(type=NotificationType.PROCESS, status=NotificationStatus.FAILED)
    assert _refusal(NotificationType.PROCESS, process) is None
    assert _refusal(NotificationType.VM, process) is not None


@pytest.mark.parametrize("status", NotificationStatus)
def test_a_host_is_reported_again_only_after_its_recovery_has_ended_without_success(status: NotificationStatus) -> None:
    accepted = _refusal(NotificationType.COMPUTE_HOST, notification(status=status)) is None
    assert accepted is (status in {NotificationStatus.FAILED, NotificationStatus.IGNORED})


def test_maintenance_of_an_operator_stays_his_own() -> None:
    verdict = evaluate(notification(), segment())
    assert isinstance(verdict, Recover)
    ours = host_changes(verdict, host(), notification())
    assert ours == {"on_maintenance": True, "reserved": False, "on_maintenance_for": "notification"}
    assert "on_maintenance_for" not in host_changes(verdict, host(on_maintenance=True), notification())


def test_a_recovery_expires_after_its_limit_and_not_at_it() -> None:
    assert not expired(notification(), NOW + timedelta(seconds=60), 60)
    assert expired(notification(), NOW + timedelta(seconds=60, microseconds=1), 60)


def _instance(event: str, detail: str) -> Recover | Close:
    payload = {"instance_uuid": "42", "event": event, "vir_domain_event": detail}
    return evaluate(notification(type=NotificationType.VM, payload=payload), segment())


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        ("LIFECYCLE", "STOPPED_FAILED"),
        ("IO_ERROR", "IO_ERROR_REPORT"),
        ("QEMU_GUEST_AGENT_ERROR", "STOPPED_FAILED"),
        ("lifecycle", "stopped_failed"),
    ],
)
def test_a_failed_instance_is_restarted_and_its_host_stays_as_it_is(event: str, detail: str) -> None:
    assert _instance(event, detail) == Recover((Flow.INSTANCE,), {})


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        ("LIFECYCLE", "STOPPED_SHUTDOWN"),
        ("REBOOT", "UNKNOWN"),
        ("IO_ERROR", "STOPPED_FAILED"),
        ("WATCHDOG", "WATCHDOG_PAUSE"),
    ],
)
def test_any_other_event_of_an_instance_is_ignored_and_named(event: str, detail: str) -> None:
    verdict = _instance(event, detail)
    assert isinstance(verdict, Close)
    assert verdict.status is NotificationStatus.IGNORED
    assert event in verdict.message
    assert detail in verdict.message


def _process(name: str, event: str = "STOPPED") -> Recover | Close:
    payload = {"process_name": name, "event": event}
    return evaluate(notification(type=NotificationType.PROCESS, payload=payload), segment())


def test_a_failed_nova_compute_is_handled_and_its_host_goes_on_maintenance() -> None:
    assert _process("nova-compute") == Recover((Flow.PROCESS,), {"on_maintenance": True})


@pytest.mark.parametrize(("name", "event"), [("libvirtd", "STOPPED"), ("nova-compute", "STARTED")])
def test_a_process_without_a_recovery_and_one_that_has_started_are_finished_at_once(name: str, event: str) -> None:
    verdict = _process(name, event)
    assert isinstance(verdict, Close)
    assert verdict.status is NotificationStatus.FINISHED
    assert name in verdict.message
