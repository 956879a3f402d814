from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide import slots
from instance_ha.decide.outcome import (
    LeftOut,
    Retry,
    after_failure,
    back_off,
    hopeless,
    latest,
    left_over,
    of_recovery,
    tally,
)
from instance_ha.decide.service import ServiceStep, next_step
from instance_ha.models.enums import NotificationStatus, VMoveStatus, VMoveStep
from instance_ha.models.rows import VMove

from tests.unit.build import NOW, service, vmove

MOVES = st.lists(st.builds(vmove, status=st.sampled_from(VMoveStatus), step=st.sampled_from(VMoveStep)), max_size=30)


def test_the_tally_says_how_many_instances_were_evacuated() -> None:
    moves = [vmove(status=VMoveStatus.SUCCEEDED), vmove(status=VMoveStatus.SUCCEEDED)]
    assert tally(moves).text == "2 of 2 instances evacuated"


def test_the_tally_counts_ignored_instances_apart() -> None:
    moves = [vmove(status=VMoveStatus.SUCCEEDED), vmove(status=VMoveStatus.IGNORED, start_time=NOW)]
    assert tally(moves).text == "1 of 1 instances evacuated, 1 ignored"


def test_the_tally_ends_with_what_was_left_out() -> None:
    failed = vmove(status=VMoveStatus.FAILED, instance_name="db", instance_uuid="42", message="no room")
    text = tally([failed], LeftOut(5, ("a (1): opted out", "b (2): opted out"))).text
    assert (
        text == "0 of 1 instances evacuated, 1 failed: db (42): no room, 5 left out: a (1): opted out; b (2): opted out"
    )


@pytest.mark.parametrize("status", [VMoveStatus.PENDING, VMoveStatus.IGNORED])
def test_the_tally_names_what_was_never_begun_as_not_tried(status: VMoveStatus) -> None:
    moves = [vmove(status=VMoveStatus.SUCCEEDED), vmove(status=status, start_time=None)]
    assert tally(moves).text == "1 of 2 instances evacuated, 1 not tried"


def test_only_the_latest_vmove_of_an_instance_tells_how_it_fared() -> None:
    failed, moved = vmove(status=VMoveStatus.FAILED), vmove(status=VMoveStatus.SUCCEEDED, round=2)
    assert latest([failed, moved]) == [moved]
    assert latest([moved, failed]) == [moved]
    assert latest([moved, vmove(attempt=2, round=1)]) == [vmove(attempt=2, round=1)]


def test_what_failed_and_what_was_not_tried_is_left_over_and_nothing_else() -> None:
    failed = vmove(instance_uuid="a", status=VMoveStatus.FAILED, start_time=NOW)
    untried = vmove(instance_uuid="b", status=VMoveStatus.IGNORED)
    moved = vmove(instance_uuid="c", status=VMoveStatus.SUCCEEDED, start_time=NOW)
    deleted = vmove(instance_uuid="d", status=VMoveStatus.IGNORED, start_time=NOW)
    assert left_over([failed, untried, moved, deleted]) == [failed, untried]


def test_what_failed_on_its_way_to_a_host_or_there_is_not_left_over_for_another_host() -> None:
    assert left_over([vmove(status=VMoveStatus.FAILED, start_time=NOW, dest_host="spare")]) == []


def test_a_round_is_hopeless_when_its_last_evacuations_have_all_failed() -> None:
    failed = vmove(status=VMoveStatus.FAILED, message="No valid host was found.")
    reason = hopeless([failed] * 5, 5, elsewhere=True)
    assert reason is not None
    assert "No valid host was found." in reason


@pytest.mark.parametrize(
    ("hosts", "elsewhere", "is_hopeless"), [("aaaaa", True, False), ("aaaaa", False, True), ("aabaa", True, True)]
)
def test_that_one_destination_fails_is_no_reason_to_stop_while_there_is_another(
    hosts: str, elsewhere: bool, is_hopeless: bool
) -> None:
    failed = [vmove(status=VMoveStatus.FAILED, message="Binding failed", failed_host=host) for host in hosts]
    assert (hopeless(failed, 5, elsewhere=elsewhere) is not None) == is_hopeless


@pytest.mark.parametrize("ended", [[], [VMoveStatus.FAILED] * 4, [VMoveStatus.FAILED] * 4 + [VMoveStatus.SUCCEEDED]])
def test_a_round_has_hope_until_enough_have_failed_in_a_row(ended: list[VMoveStatus]) -> None:
    assert hopeless([vmove(status=status) for status in ended], 5, elsewhere=True) is None


def test_a_limit_of_zero_never_gives_up() -> None:
    assert hopeless([vmove(status=VMoveStatus.FAILED)] * 100, 0, elsewhere=True) is None


def test_the_tally_tells_why_an_instance_failed() -> None:
    moves = [vmove(status=VMoveStatus.FAILED, instance_name="db", instance_uuid="42", message="no room")]
    assert tally(moves).text == "0 of 1 instances evacuated, 1 failed: db (42): no room"


def test_the_tally_tells_three_reasons_at_most() -> None:
    found = tally([vmove(status=VMoveStatus.FAILED)] * 5)
    assert found.failed == 5
    assert len(found.reasons) == 3


@given(MOVES)
def test_the_tally_counts_every_vmove_that_is_not_under_way_once(moves: list[VMove]) -> None:
    found = tally(moves)
    over = sum(move.status is not VMoveStatus.ONGOING for move in moves)
    assert over == found.succeeded + found.ignored + found.failed + found.untried


@pytest.mark.parametrize(("age", "seconds"), [(0, 0.5), (1.5, 0.5), (6, 2.0), (15, 5.0), (500, 5.0)])
def test_nova_is_asked_less_often_the_longer_its_evacuations_last(age: float, seconds: float) -> None:
    later = NOW + timedelta(seconds=age)
    just_begun, usual, hanging = (vmove(asked_at=at) for at in (later, NOW, NOW - timedelta(hours=1)))
    assert slots.pause([just_begun, usual, hanging], later, 0.5) == seconds


def test_nova_is_asked_often_while_it_has_no_evacuation_in_work() -> None:
    settling = vmove(step=VMoveStep.SETTLE, asked_at=NOW - timedelta(hours=1))
    assert slots.pause([settling], NOW, 0.5) == slots.pause([], NOW, 0.5) == 0.5


@pytest.mark.parametrize(("asking", "seconds"), [(0.0, 0.5), (0.2, 0.3), (0.4, 0.4), (2.0, 2.0), (30.0, 5.0)])
def test_the_time_of_the_questions_counts_for_the_pause_and_a_slow_nova_rests_as_long(
    asking: float, seconds: float
) -> None:
    assert slots.rest(0.5, asking) == pytest.approx(seconds)


def test_a_slot_is_free_once_nova_is_done_with_its_evacuation() -> None:
    first, second = vmove(status=VMoveStatus.ONGOING, step=VMoveStep.WATCHED), vmove(status=VMoveStatus.ONGOING)
    assert slots.free([first, second], [], 3) == 1
    assert slots.free([first, second], [(first, "compute2")], 3) == 2


def test_nothing_begins_while_a_failure_is_not_counted_yet() -> None:
    watched = vmove(status=VMoveStatus.ONGOING, step=VMoveStep.WATCHED)
    failed = vmove(status=VMoveStatus.ONGOING, step=VMoveStep.SETTLE)
    moved = vmove(status=VMoveStatus.ONGOING, step=VMoveStep.SETTLE, dest_host="compute2")
    assert slots.free([watched], [(watched, None)], 3) == 0
    assert slots.free([failed], [], 3) == 0
    assert slots.free([moved], [], 3) == 3


DAY = timedelta(days=1)


@pytest.mark.parametrize(("attempt", "pause"), [(1, 120), (2, 240), (3, 480), (4, 900), (5, 900), (1000, 900)])
def test_a_failed_attempt_is_repeated_after_growing_pauses(attempt: int, pause: float) -> None:
    retry = after_failure(attempt, None, NOW, 120, NOW + DAY)
    assert retry == Retry(NotificationStatus.ERROR, NOW + timedelta(seconds=pause))


def test_a_longer_pause_than_a_quarter_of_an_hour_is_kept() -> None:
    retry = after_failure(3, None, NOW, 3600, NOW + DAY)
    assert retry == Retry(NotificationStatus.ERROR, NOW + timedelta(seconds=3600))


@pytest.mark.parametrize("attempt", [2, 3])
def test_the_last_failed_attempt_is_final(attempt: int) -> None:
    assert Retry(NotificationStatus.FAILED, None) == after_failure(attempt, 2, NOW, 120, NOW + DAY)


def test_an_attempt_is_final_when_the_recovery_expires_before_the_next() -> None:
    assert Retry(NotificationStatus.FAILED, None) == after_failure(1, None, NOW, 120, NOW + timedelta(seconds=120))


def test_the_pause_after_passing_troubles_doubles() -> None:
    pauses = [(back_off(tries, NOW) - NOW).total_seconds() for tries in range(1, 6)]
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0]


@given(st.integers(min_value=1, max_value=100_000))
def test_the_pause_after_passing_troubles_is_never_longer_than_a_minute_and_never_shrinks(tries: int) -> None:
    assert NOW < back_off(tries, NOW) <= back_off(tries + 1, NOW) <= NOW + timedelta(seconds=60)


def test_a_service_that_nova_calls_down_is_ready_once_disabled() -> None:
    assert next_step(service(up=False, disabled=True), force_down=False) == ServiceStep.READY


def test_a_service_is_disabled_before_anything_else() -> None:
    assert next_step(service(up=False, disabled=False), force_down=False) == ServiceStep.DISABLE


def test_a_disabled_service_that_nova_calls_up_is_waited_for() -> None:
    assert next_step(service(up=True, disabled=True), force_down=False) == ServiceStep.WAIT


def test_a_disabled_service_is_forced_down_where_that_is_allowed() -> None:
    assert next_step(service(up=True, disabled=True), force_down=True) == ServiceStep.DISABLE


def test_a_service_that_is_forced_down_is_not_forced_again() -> None:
    forced = service(up=False, disabled=True, forced_down=True)
    assert next_step(forced, force_down=True) == ServiceStep.READY


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_no_service_that_nova_calls_up_or_still_uses_is_ready(up: bool, off: bool, forced: bool, force: bool) -> None:
    if next_step(service(up=up, disabled=off, forced_down=forced), force) is ServiceStep.READY:
        assert (up, off) == (False, True)


def test_an_evacuation_that_nova_has_finished_gives_its_slot_back() -> None:
    moves = [vmove(step=VMoveStep.WATCHED), vmove(step=VMoveStep.SETTLE), vmove(status=VMoveStatus.PENDING)]
    assert slots.busy(moves) == 1


@given(MOVES)
def test_no_more_slots_are_in_use_than_evacuations_are_ongoing(moves: list[VMove]) -> None:
    assert 0 <= slots.busy(moves) <= sum(move.status is VMoveStatus.ONGOING for move in moves)


def test_a_recovery_counts_what_earlier_attempts_moved_and_not_what_was_left_out_since() -> None:
    moved = vmove(instance_uuid="a", attempt=1, status=VMoveStatus.SUCCEEDED)
    left_out = vmove(instance_uuid="b", attempt=1, status=VMoveStatus.FAILED)
    untried = vmove(instance_uuid="c", attempt=1, status=VMoveStatus.IGNORED)
    again = [vmove(instance_uuid="d", attempt=n, status=VMoveStatus.FAILED) for n in (1, 2)]
    assert of_recovery([moved, left_out, untried, *again], 2) == [moved, again[1]]
