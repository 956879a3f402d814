from dataclasses import replace
from datetime import timedelta

import pytest
from instance_ha.decide.service import Reports, Source, compare, heard
from instance_ha.models.cloud import ComputeService

from tests.unit.build import NOW, service

DOWN = ComputeService(id="1", host="compute1", up=False, disabled=True, forced_down=True, updated_at=NOW)


def later(seconds: float) -> ComputeService:
    return replace(DOWN, updated_at=NOW + timedelta(seconds=seconds))


def after(services: list[tuple[float, ComputeService]]) -> list[Source]:
    """Compare one answer after the other, each at its second."""
    reports: Reports | None = None
    found = []
    for seconds, said in services:
        source, reports = compare(reports, said, NOW + timedelta(seconds=seconds))
        found.append(source)
    return found


def test_a_host_whose_service_says_nothing_new_is_down() -> None:
    assert after([(0, DOWN), (60, DOWN), (3600, DOWN)]) == [Source.DOWN] * 3


def test_a_host_that_nova_calls_up_is_up() -> None:
    assert after([(0, DOWN), (1, replace(DOWN, up=True))]) == [Source.DOWN, Source.UP]


def test_a_forced_down_host_that_reports_twice_is_up() -> None:
    assert after([(0, DOWN), (10, later(9)), (15, later(9)), (20, later(19))]) == [
        Source.DOWN,
        Source.UNKNOWN,
        Source.UNKNOWN,
        Source.UP,
    ]


@pytest.mark.parametrize("seconds", [31, 600])
def test_a_single_change_of_a_forced_down_service_is_one_by_the_api_when_no_report_follows(seconds: float) -> None:
    assert after([(0, DOWN), (10, later(9)), (10 + seconds, later(9))])[-1] is Source.DOWN


def test_two_changes_by_the_api_that_lie_far_apart_are_no_reports() -> None:
    seen = after([(0, DOWN), (10, later(9)), (100, later(9)), (200, later(199)), (300, later(199))])
    assert seen == [Source.DOWN, Source.UNKNOWN, Source.DOWN, Source.UNKNOWN, Source.DOWN]


def test_a_service_that_is_not_there_any_more_cannot_be_up() -> None:
    source, _ = compare(None, None, NOW)
    assert source is Source.DOWN


def test_a_service_that_goes_on_to_report_is_alive_and_a_single_change_of_its_record_is_no_report() -> None:
    quiet = heard(heard(None, service(updated_at=NOW)), service(updated_at=NOW))
    changed = heard(quiet, service(updated_at=NOW + timedelta(seconds=1)))
    reported = heard(changed, service(updated_at=NOW + timedelta(seconds=11)))
    assert (quiet.is_alive, changed.is_alive, reported.is_alive) == (False, False, True)
