from datetime import timedelta
from itertools import pairwise

import pytest
from instance_ha.decide.flows import Flow
from instance_ha.decide.reports import Close, Recover, expired, falls_between, host_changes, is_duplicate, judge
from instance_ha.models.enums import (
    FINAL_NOTIFICATION,
    OPEN_NOTIFICATION,
    NotificationStatus,
    NotificationType,
    RecoveryMethod,
)

from tests.unit.build import NOW, STOPPED, notification, segment


def _closed(payload: dict[str, str]) -> NotificationStatus | None:
    verdict = judge(notification(payload=payload), segment())
    return verdict.status if isinstance(verdict, Close) else None


def test_a_stopped_host_in_an_enabled_segment_is_recovered() -> None:
    assert Recover((Flow.HOST_AUTO,)) == judge(notification(payload=STOPPED), segment())


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
    verdict = judge(notification(), segment(enabled=False))
    assert isinstance(verdict, Close)
    assert verdict.status == NotificationStatus.IGNORED
    assert "disabled" in verdict.message


def test_a_report_whose_segment_is_gone_fails() -> None:
    verdict = judge(notification(), None)
    assert isinstance(verdict, Close)
    assert verdict.status == NotificationStatus.FAILED


@pytest.mark.parametrize("method", set(RecoveryMethod) - {RecoveryMethod.AUTO})
def test_a_recovery_method_that_is_missing_fails_and_is_named(method: RecoveryMethod) -> None:
    verdict = judge(notification(), segment(recovery_method=method))
    assert isinstance(verdict, Close)
    assert verdict.status == NotificationStatus.FAILED
    assert method in verdict.message


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


def test_a_recovery_expires_after_its_limit_and_not_at_it() -> None:
    assert not expired(notification(), NOW + timedelta(seconds=60), 60)
    assert expired(notification(), NOW + timedelta(seconds=60, microseconds=1), 60)


def test_what_is_called_each_minute_and_what_each_second_ticks_once_an_interval() -> None:
    for step, interval in [(60, 600), (1, 60), (60, 90)]:
        times = [NOW + timedelta(seconds=step * n) for n in range(7200 // step + 1)]
        ticks = sum(falls_between(*pair, interval) for pair in pairwise(times))
        assert ticks == 7200 // interval


def _verdict(kind: NotificationType, **payload: str) -> Recover | NotificationStatus:
    verdict = judge(notification(type=kind, payload=payload), segment())
    return verdict.status if isinstance(verdict, Close) else verdict


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        ("LIFECYCLE", "STOPPED_FAILED"),
        ("IO_ERROR", "IO_ERROR_REPORT"),
        ("QEMU_GUEST_AGENT_ERROR", "STOPPED_FAILED"),
    ],
)
def test_a_failed_instance_is_recovered(event: str, detail: str) -> None:
    assert _verdict(NotificationType.VM, event=event, vir_domain_event=detail) == Recover((Flow.INSTANCE,))


@pytest.mark.parametrize(("event", "detail"), [("LIFECYCLE", "STARTED"), ("IO_ERROR", "STOPPED_FAILED"), ("X", "Y")])
def test_any_other_event_of_an_instance_is_ignored_and_named(event: str, detail: str) -> None:
    verdict = judge(
        notification(type=NotificationType.VM, payload={"event": event, "vir_domain_event": detail}), segment()
    )
    assert isinstance(verdict, Close)
    assert verdict.status == NotificationStatus.IGNORED
    assert f"{event} {detail}" in verdict.message


def test_a_failed_nova_compute_is_recovered() -> None:
    verdict = _verdict(NotificationType.PROCESS, event="STOPPED", process_name="nova-compute")
    assert verdict == Recover((Flow.PROCESS,))


def test_another_failed_process_is_finished_without_a_recovery() -> None:
    assert _verdict(NotificationType.PROCESS, event="STOPPED", process_name="sshd") == NotificationStatus.FINISHED


def test_a_started_process_is_finished_at_once() -> None:
    verdict = _verdict(NotificationType.PROCESS, event="STARTED", process_name="nova-compute")
    assert verdict == NotificationStatus.FINISHED


def test_a_dead_host_goes_on_maintenance_and_is_no_reserve_a_failed_instance_changes_nothing_at_its_host() -> None:
    assert host_changes(NotificationType.COMPUTE_HOST) == {"on_maintenance": True, "reserved": False}
    assert host_changes(NotificationType.PROCESS) == {"on_maintenance": True}
    assert host_changes(NotificationType.VM) == {}
