import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.eyes import Doubt, Limits, Look, doubt


def _looks(**segments: tuple[int, int]) -> list[Look]:
    """So many hosts down, of so many, in each segment."""
    return [Look(name, number < down) for name, (down, of) in segments.items() for number in range(of)]


def _doubt(limits: Limits | None = None, **segments: tuple[int, int]) -> Doubt:
    return doubt(_looks(**segments), limits or Limits())


@pytest.mark.parametrize("of", [1, 2, 10])
def test_a_single_host_that_looks_down_is_believed_however_few_there_are(of: int) -> None:
    assert not _doubt(rack=(1, of)).about("rack")


def test_half_of_a_segment_is_believed_and_more_is_not() -> None:
    assert not _doubt(rack=(2, 4), other=(0, 9)).about("rack")
    assert _doubt(rack=(3, 4), other=(0, 9)).about("rack")


def test_doubt_about_a_segment_is_none_about_the_others() -> None:
    found = _doubt(rack=(3, 4), other=(1, 9))
    assert (found.about("rack"), found.about("other"), found.everywhere) == (True, False, False)
    assert found.reasons == ("3 of 4 hosts of segment rack look down",)


def test_too_many_in_all_are_doubted_everywhere_even_if_no_segment_has_too_many() -> None:
    found = _doubt(Limits(total_number=3), a=(2, 4), b=(2, 4), c=(0, 9))
    assert (found.segments, found.everywhere, found.about("c")) == (frozenset(), True, True)
    assert found.reasons == ("4 of 17 hosts look down",)


def test_a_number_limits_as_well_as_a_share() -> None:
    assert _doubt(Limits(segment_number=10), rack=(11, 100)).about("rack")
    assert not _doubt(Limits(segment_number=10), rack=(10, 100)).about("rack")


def test_where_nobody_looks_down_there_is_no_doubt() -> None:
    assert _doubt(rack=(0, 3)) == Doubt(False, frozenset(), ())
    assert doubt([], Limits()) == Doubt(False, frozenset(), ())


@given(st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 30), st.integers(1, 30)), max_size=6))
def test_when_everything_of_two_hosts_or_more_looks_down_nothing_is_believed(
    segments: dict[str, tuple[int, int]],
) -> None:
    looks = [Look(name, True) for name, (_, of) in segments.items() for _ in range(of)]
    found = doubt(looks, Limits())
    assert found.everywhere == (len(looks) > 1)
