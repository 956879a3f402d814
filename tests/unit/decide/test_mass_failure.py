"""When so many hosts are down at once that nothing is reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.mass_failure import Limits, Suppression, evaluate


def _evaluate(limits: Limits | None = None, **segments: tuple[int, int]) -> Suppression:
    """So many hosts down, of so many, in each segment."""
    hosts = [(name, number < down) for name, (down, of) in segments.items() for number in range(of)]
    return evaluate(hosts, limits or Limits())


@pytest.mark.parametrize("of", [1, 2, 10])
def test_a_single_host_that_is_down_is_reported_however_few_there_are(of: int) -> None:
    assert not _evaluate(rack=(1, of)).covers("rack")


def test_half_of_a_segment_is_reported_and_more_is_not() -> None:
    assert not _evaluate(rack=(2, 4), other=(0, 9)).covers("rack")
    assert _evaluate(rack=(3, 4), other=(0, 9)).covers("rack")


def test_suppression_in_a_segment_is_none_in_the_others() -> None:
    found = _evaluate(rack=(3, 4), other=(1, 9))
    assert (found.covers("rack"), found.covers("other"), found.everywhere) == (True, False, False)
    assert found.reasons == ("3 of 4 hosts of segment rack are down",)


def test_too_many_in_all_are_suppressed_everywhere_even_if_no_segment_has_too_many() -> None:
    found = _evaluate(Limits(total_number=3), a=(2, 4), b=(2, 4), c=(0, 9))
    assert (found.segments, found.everywhere, found.covers("c")) == (frozenset(), True, True)
    assert found.reasons == ("4 of 17 hosts are down",)


def test_a_number_limits_as_well_as_a_share() -> None:
    assert _evaluate(Limits(segment_number=10), rack=(11, 100)).covers("rack")
    assert not _evaluate(Limits(segment_number=10), rack=(10, 100)).covers("rack")


def test_where_no_host_is_down_nothing_is_suppressed() -> None:
    assert _evaluate(rack=(0, 3)) == Suppression(False, frozenset(), ())
    assert evaluate([], Limits()) == Suppression(False, frozenset(), ())


@given(st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 30), st.integers(1, 30)), max_size=6))
def test_when_all_of_two_hosts_or_more_are_down_nothing_is_reported(segments: dict[str, tuple[int, int]]) -> None:
    hosts = [(name, True) for name, (_, of) in segments.items() for _ in range(of)]
    assert evaluate(hosts, Limits()).everywhere == (len(hosts) > 1)
