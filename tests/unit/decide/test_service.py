from dataclasses import replace
from datetime import timedelta

import pytest
from instance_ha.decide.service import Reports, SourceState, compare, count_report, is_up_since
from instance_ha.models.cloud import ComputeService

from tests.unit.build import NOW, service

DOWN = ComputeService(id="1", host="compute1", up=False, disabled=True, forced_down=True, updated_at=NOW)


def later(seconds: float) -> ComputeService:
    return replace(DOWN, updated_at=NOW + timedelta(seconds=seconds))


def after(services: list[tuple[float, ComputeService]]) -> list[SourceState]:
    """Compare one answer after the other, each at its second."""
    reports: Reports | None = None
    found = []
    for seconds, said in services:
        source, reports = compare(reports, said, NOW + timedelta(seconds=seconds), 10)
        found.append(source)
    return found


def test_a_host_whose_service_says_nothing_new_is_down() -> None:
    assert after([(0, DOWN), (60, DOWN), (3600, DOWN)]) == [SourceState.DOWN] * 3


def test_a_host_that_nova_calls_up_is_up() -> None:
    assert after([(0, DOWN), (1, replace(DOWN, up=True))]) == [SourceState.DOWN, SourceState.UP]


def test_a_forced_down_host_that_reports_twice_is_up() -> None:
    assert after([(0, DOWN), (10, later(9)), (15, later(9)), (20, later(19))]) == [
        SourceState.DOWN,
        SourceState.UNKNOWN,
        SourceState.UNKNOWN,
        SourceState.UP,
    ]


@pytest.mark.parametrize("seconds", [31, 600])
def test_a_single_change_of_a_forced_down_service_is_one_by_the_api_when_no_report_follows(seconds: float) -> None:
    assert after([(0, DOWN), (10, later(9)), (10 + seconds, later(9))])[-1] is SourceState.DOWN


def test_two_changes_by_the_api_that_lie_far_apart_are_no_reports() -> None:
    seen = after([(0, DOWN), (10, later(9)), (100, later(9)), (200, later(199)), (300, later(199))])
    assert seen == [SourceState.DOWN, SourceState.UNKNOWN, SourceState.DOWN, SourceState.UNKNOWN, SourceState.DOWN]


def test_a_host_that_was_up_once_stays_up_whatever_nova_says_of_it_later() -> None:
    assert after([(0, replace(DOWN, up=True)), (60, DOWN), (600, DOWN)]) == [SourceState.UP] * 3


def test_a_service_that_is_not_there_any_more_cannot_be_up() -> None:
    source, _ = compare(None, None, NOW, 10)
    assert source is SourceState.DOWN


def test_changes_that_are_seen_far_apart_are_no_reports_though_nobody_has_asked_in_between() -> None:
    assert after([(0, DOWN), (10, later(9)), (200, later(199))])[-1] is SourceState.UNKNOWN


def heard(*updates: tuple[float, float], interval: float = 10) -> bool:
    """Listen at each second, when the record was last updated; say whether the service is alive then."""
    reports: Reports | None = None
    for seconds, updated in updates:
        said = service(updated_at=NOW + timedelta(seconds=updated))
        reports = count_report(reports, said, NOW + timedelta(seconds=seconds), interval)
    assert reports is not None
    return reports.is_alive


def test_a_service_that_goes_on_to_report_is_alive_and_a_single_change_of_its_record_is_no_report() -> None:
    assert not heard((0, 0), (5, 0))
    assert not heard((0, 0), (5, 1))
    assert heard((0, 0), (5, 1), (15, 11))


def test_a_service_that_reports_no_more_is_not_alive_though_it_was() -> None:
    assert not heard((0, 0), (5, 1), (15, 11), (46, 11))


def test_a_service_that_reports_each_minute_is_alive_where_that_is_its_interval() -> None:
    slow = (0.0, 0.0), (61.0, 60.0), (121.0, 120.0)
    assert heard(*slow, interval=60)
    assert not heard(*slow, interval=10)


@pytest.mark.parametrize(("minutes", "up", "is_so"), [(5, True, False), (6, True, True), (6, False, False)])
def test_a_host_is_up_since_its_report_when_it_reports_later_than_clocks_differ(
    minutes: int, up: bool, is_so: bool
) -> None:
    assert is_up_since(replace(later(60 * minutes), up=up), NOW) == is_so
