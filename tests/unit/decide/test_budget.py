"""How many evacuations may be in flight, and whose turn it is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.budget import Limits, free, halve, in_turn, most, of_level, share
from instance_ha.models.budget import InFlight, Queue, Rank, Throttle

from tests.unit.build import NOW

LIMITS = Limits(notification=10, segment=40, destination=5)
_RANK = st.tuples(st.integers(-3, 3), st.booleans())
RANKS = st.lists(_RANK, max_size=12).map(lambda one: sorted(one, reverse=True))
QUEUES = st.lists(st.builds(Queue, st.integers(0, 5), RANKS.map(tuple)), max_size=5)


def flight(of_notification: int = 0, of_segment: int = 0, to_target: int = 0) -> InFlight:
    return InFlight(
        of_notification=of_notification,
        of_segment=of_segment,
        to_target=to_target,
        recoveries=1,
        failed=0,
        may_live=False,
        throttle=None,
        own=Queue(0, ()),
    )


@pytest.mark.parametrize(
    ("in_flight", "part", "expected"),
    [
        (flight(), 1.0, 5),
        (flight(8, 8), 1.0, 2),
        (flight(0, 38), 1.0, 2),
        (flight(0, 0, 5), 1.0, 0),
        (flight(0, 50), 1.0, 0),
        (flight(), 0.5, 2),
        (flight(), 0.01, 1),
        (flight(1, 1), 0.01, 0),
    ],
)
def test_the_tightest_limit_counts(in_flight: InFlight, part: float, expected: int) -> None:
    assert free(LIMITS, in_flight, part) == expected


def test_an_instance_waits_for_those_of_a_higher_rank_elsewhere() -> None:
    own = Queue(0, ((5, False), (0, True), (0, False)))
    assert in_turn(own, [], 3, 10) == 3
    assert in_turn(own, [Queue(0, ((9, False),))], 3, 10) == 2
    assert in_turn(own, [Queue(0, ((1, False), (1, False)))], 3, 10) == 1
    assert in_turn(own, [Queue(0, ((0, True),))], 3, 10) == 2


def test_an_equal_rank_elsewhere_keeps_nobody_waiting() -> None:
    assert in_turn(Queue(0, ((1, True),)), [Queue(0, ((1, True),) * 9)], 1, 10) == 1


def test_what_another_recovery_could_not_begin_keeps_nobody_waiting() -> None:
    full = Queue(3, ((9, True),) * 3)
    assert in_turn(Queue(0, ((0, False),)), [full], 1, 3) == 1


@given(RANKS, QUEUES, st.integers(0, 20), st.integers(1, 6))
def test_none_begins_before_one_of_a_higher_rank_that_could(
    ranks: list[Rank], others: list[Queue], slots: int, most_of_each: int
) -> None:
    begun = in_turn(Queue(0, tuple(ranks)), others, slots, most_of_each)
    assert 0 <= begun <= min(len(ranks), slots)
    if begun:
        able = [rank for one in others for rank in one.ranks[: max(0, most_of_each - one.in_flight)]]
        higher = [rank for rank in able if rank > ranks[begun - 1]]
        assert begun + len(higher) <= slots  # there is slots for all of these beside those that begin


@given(RANKS.filter(bool), QUEUES, st.integers(1, 20), st.integers(1, 6))
def test_somebody_always_begins(ranks: list[Rank], others: list[Queue], slots: int, most_of_each: int) -> None:
    all_of_them = [Queue(0, tuple(ranks)), *(one for one in others if one.ranks and one.in_flight < most_of_each)]
    begun = [
        in_turn(one, [other for other in all_of_them if other is not one], slots, most_of_each) for one in all_of_them
    ]
    assert any(begun)


@pytest.mark.parametrize(("unready", "expected"), [(None, 4), (-9, 4), (0, 4), (1, 3), (7, 2), (8, 0)])
def test_instances_wait_for_those_of_a_higher_priority_and_not_for_their_equals(
    unready: int | None, expected: int
) -> None:
    assert of_level(Queue(0, ((7, True), (7, False), (1, True), (0, True))), unready) == expected


def test_a_trouble_halves_what_may_be_in_flight_and_it_grows_slowly() -> None:
    first = halve(None, NOW)
    assert first == Throttle(0.5, NOW)
    assert share(first, NOW) == 0.5
    assert share(first, NOW + timedelta(seconds=20)) == pytest.approx(0.7)
    assert share(first, NOW + timedelta(hours=1)) == 1.0
    assert share(None, NOW) == 1.0


def test_troubles_of_one_moment_halve_it_once() -> None:
    first = halve(None, NOW)
    assert halve(first, NOW + timedelta(seconds=9)) is None
    again = halve(first, NOW + timedelta(seconds=10))
    assert again is not None
    assert again.share == pytest.approx(0.3)


def test_something_is_always_in_flight_however_long_nova_struggles() -> None:
    throttle, now = halve(None, NOW), NOW
    for _ in range(100):
        now += timedelta(seconds=10)
        throttle = halve(throttle, now)
        assert throttle is not None
        assert most(10, throttle.share) >= 1
    assert throttle is not None
    assert throttle.share > 0
