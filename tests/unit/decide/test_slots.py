"""When Nova is asked for evacuations under way, once some have ended."""

from datetime import timedelta
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide import slots
from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.rows import VMove

from tests.unit.build import NOW, vmove

SECONDS = st.floats(0, 100)
LASTED = st.lists(SECONDS, max_size=20)


def begun(*ages: float) -> list[VMove]:
    """Build evacuations that were begun so many seconds ago."""
    return [
        vmove(
            status=VMoveStatus.ONGOING,
            step=VMoveStep.WATCHED,
            start_time=NOW - timedelta(seconds=age),
            asked_at=NOW - timedelta(seconds=age),
        )
        for age in ages
    ]


AGES = st.lists(SECONDS, max_size=10)


@given(AGES, LASTED, SECONDS)
def test_nova_is_asked_no_later_than_if_nothing_were_known(ages: list[float], lasted: list[float], took: float) -> None:
    moves = begun(*ages)
    usual = slots.pause(moves, NOW, 0.5)
    chosen = slots.until_next(usual, slots.next_end(moves, NOW, lasted), took)
    assert min(took, slots.LONGEST_PAUSE) <= chosen <= slots.rest(usual, took)


@given(AGES, LASTED)
def test_two_questions_are_never_closer_than_a_tenth_of_a_second(ages: list[float], lasted: list[float]) -> None:
    assert slots.next_end(begun(*ages), NOW, lasted) >= 0.1


@given(AGES)
def test_while_none_has_ended_it_is_not_known_when_one_will(ages: list[float]) -> None:
    assert slots.next_end(begun(*ages), NOW, []) == inf


@pytest.mark.parametrize(("age", "seconds"), [(0.0, 2.0), (1.7, 0.3), (1.95, 0.1)])
def test_what_lasts_as_long_as_all_before_is_asked_for_when_it_ends(age: float, seconds: float) -> None:
    assert slots.next_end(begun(age, age), NOW, [2.0, 2.0, 2.0]) == pytest.approx(seconds)


@pytest.mark.parametrize(("late", "seconds"), [(0.0, 0.1), (0.1, 0.1), (0.4, 0.4), (3.0, 3.0)])
def test_what_is_late_is_asked_for_soon_and_then_less_and_less_often(late: float, seconds: float) -> None:
    assert slots.next_end(begun(2 + late), NOW, [2.0]) == pytest.approx(seconds)


def test_ends_close_together_are_asked_for_when_the_last_of_them_has_come() -> None:
    moves = begun(19.7, 19.6, 10.0)
    assert slots.next_end(moves, NOW, [20.0]) == pytest.approx(0.4)


def test_the_more_are_under_way_the_sooner_one_of_those_that_end_at_any_time_is_asked_for() -> None:
    lasted = [10.0 + half for half in range(10)]
    few, many = (slots.next_end(begun(*[9.5] * number), NOW, lasted) for number in (1, 10))
    assert many < few


def test_rows_are_read_again_while_an_evacuation_has_not_been_asked_for_or_a_failure_not_been_counted() -> None:
    under_way, starting = begun(1.0)[0], vmove(status=VMoveStatus.ONGOING, step=VMoveStep.START)
    failed = vmove(status=VMoveStatus.ONGOING, step=VMoveStep.SETTLE)
    moved = vmove(status=VMoveStatus.ONGOING, step=VMoveStep.SETTLE, dest_host="compute2")
    assert not slots.settles([under_way, moved])
    assert all(map(slots.settles, ([], [moved], [under_way, starting], [under_way, failed])))
