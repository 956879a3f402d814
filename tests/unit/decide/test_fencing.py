"""The ladder of a host that is fenced: rung by rung, never two at once, believed only when off twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.fencing import (
    Do,
    Seen,
    Step,
    again_at,
    failures,
    forbidden,
    is_asked_for_late,
    is_fenced,
    next_step,
    reason_not_to_climb_again,
)
from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import TaskState
from instance_ha.models.evidence import SegmentPolicy
from instance_ha.models.fencing import FenceAttempt, FenceOutcome, FencePolicy, Power, Rung
from instance_ha.models.uuids import HostUuid, NotificationUuid, SegmentUuid

from tests.unit.build import NOW, host

LADDER = (Rung(0, "redfish", "bmc", 60), Rung(1, "ipmi", "bmc", 30), Rung(2, "url", "pdu", 90))
CONFIRM = timedelta(seconds=2)


def tried(
    position: int, outcome: str | None = None, *, ago: float = 0, reason: str | None = None, number: int = 1
) -> FenceAttempt:
    """A rung that was begun so many seconds ago."""
    rung, at = LADDER[position], NOW - timedelta(seconds=ago)
    return FenceAttempt(
        id=position + 1,
        notification_uuid=NotificationUuid("notification"),
        attempt=1,
        round=number,
        host_uuid=HostUuid("host"),
        position=position,
        method=rung.method,
        address=rung.address,
        begun_at=at,
        asked_at=at,
        ended_at=None if outcome is None else at,
        outcome=None if outcome is None else FenceOutcome(outcome),
        reason=reason,
    )


def following(*attempts: FenceAttempt, seen: Seen | None = None, ladder: tuple[Rung, ...] = LADDER) -> Step:
    """Say what is next now."""
    return next_step(ladder, attempts, seen or Seen(), NOW, CONFIRM)


def read(*said: tuple[float, str]) -> Seen:
    """See what was said so many seconds ago."""
    seen = Seen()
    for ago, power in said:
        seen = seen.read(Power(power), NOW - timedelta(seconds=ago))
    return seen


def test_the_first_rung_is_begun_first() -> None:
    assert following() == Step(Do.BEGIN, LADDER[0])


def test_a_rung_that_was_begun_is_asked_for_the_power() -> None:
    assert following(tried(0)) == Step(Do.READ, LADDER[0])


def test_another_invocation_reads_the_power_before_it_asks_again() -> None:
    assert following(tried(0, ago=30)) == Step(Do.READ, LADDER[0])


def test_off_is_not_believed_at_once() -> None:
    assert following(tried(0, ago=5), seen=read((0, "off"))) == Step(Do.WAIT, LADDER[0])
    assert following(tried(0, ago=5), seen=read((2, "off"))) == Step(Do.READ, LADDER[0])


def test_off_twice_is_believed_when_the_second_came_later() -> None:
    assert following(tried(0, ago=5), seen=read((2, "off"), (0, "off"))) == Step(Do.BELIEVE, LADDER[0])
    assert following(tried(0, ago=5), seen=read((1, "off"), (0, "off"))).do is Do.WAIT


@pytest.mark.parametrize("between", ["on", "unknown"])
def test_off_on_off_is_not_believed(between: str) -> None:
    assert following(tried(0, ago=9), seen=read((4, "off"), (2, between), (0, "off"))).do is Do.WAIT


def test_a_question_without_an_answer_neither_confirms_nor_refutes() -> None:
    seen = read((4, "off"))
    assert (
        following(tried(0, ago=9), seen=Seen(off_since=seen.off_since, off_at=seen.off_at, trouble="silent")).do
        is Do.READ
    )


def test_what_stays_on_is_asked_again_after_a_while() -> None:
    on = read((0, "on"))
    assert following(tried(0, ago=2), seen=on).do is Do.READ
    assert following(tried(0, ago=3), seen=on).do is Do.ASK
    accepted = Seen(accepted=True, is_on=True)
    assert following(tried(0, ago=14), seen=accepted).do is Do.READ
    assert following(tried(0, ago=15), seen=accepted).do is Do.ASK


def test_what_said_off_once_and_then_nothing_is_given_up_at_its_time_limit() -> None:
    silent = replace(read((5, "off")), trouble="no answer")
    assert following(tried(0, ago=59), seen=silent).do is Do.READ
    assert following(tried(0, ago=60), seen=silent).do is Do.GIVE_UP


def test_a_rung_that_another_invocation_has_left_is_read_once_before_it_is_given_up() -> None:
    assert following(tried(0, ago=600)) == Step(Do.READ, LADDER[0])
    assert following(tried(0, ago=600), seen=read((0, "on"))).do is Do.GIVE_UP
    assert following(tried(0, ago=600), seen=Seen(trouble="no answer")).do is Do.GIVE_UP
    assert following(tried(0, ago=600), seen=read((0, "off"))).do is Do.WAIT


def test_a_rung_is_given_up_at_its_time_limit() -> None:
    assert following(tried(1, ago=29), tried(0, "failed")).do is Do.READ
    given_up = following(tried(0, "failed"), tried(1, ago=30), seen=read((0, "on")))
    assert given_up == Step(Do.GIVE_UP, LADDER[1], "the power was not off within 30 s: it is still on")


def test_a_method_that_cannot_be_used_is_given_up_at_once() -> None:
    assert following(tried(0), seen=Seen(refused="401")) == Step(Do.GIVE_UP, LADDER[0], "401")


def test_off_that_was_said_before_the_time_limit_is_confirmed_after_it() -> None:
    assert following(tried(0, ago=61), seen=read((1.5, "off"))).do is Do.WAIT
    assert following(tried(0, ago=62), seen=read((2.5, "off"), (0, "off"))).do is Do.BELIEVE


def test_the_next_rung_is_begun_when_one_has_failed() -> None:
    assert following(tried(0, "failed")) == Step(Do.BEGIN, LADDER[1])
    assert following(tried(0, "failed"), tried(1, "failed")) == Step(Do.BEGIN, LADDER[2])


def test_the_ladder_ends_when_the_host_is_off_or_no_rung_is_left() -> None:
    assert following(tried(0, "failed"), tried(1, "off")) == Step(Do.END)
    assert following(*(tried(position, "failed") for position in range(3))) == Step(Do.END)
    assert following(ladder=()) == Step(Do.END)


def test_a_rung_that_the_file_has_no_more_is_given_up() -> None:
    other = (Rung(0, "redfish", "another-bmc", 60), *LADDER[1:])
    assert following(tried(0), ladder=other) == Step(Do.GIVE_UP, reason="it is not in the ladder any more")
    assert following(tried(0, "failed"), ladder=other) == Step(Do.BEGIN, LADDER[1])


SAID = st.lists(st.tuples(st.floats(0, 60), st.sampled_from(["on", "off", "unknown"])), max_size=12)


@given(said=SAID)
def test_nothing_is_believed_but_off_twice_in_a_row_and_apart(said: list[tuple[float, str]]) -> None:
    said = sorted(said, reverse=True)
    last_on = max((place for place, (_, power) in enumerate(said) if power != "off"), default=-1)
    offs = [ago for ago, _ in said[last_on + 1 :]]
    believed = following(tried(0, ago=70), seen=read(*said)).do is Do.BELIEVE
    assert believed == (len(offs) > 1 and timedelta(seconds=offs[0]) - timedelta(seconds=offs[-1]) >= CONFIRM)


OUTCOMES = st.lists(st.sampled_from(["off", "failed", None]), max_size=3)


@given(outcomes=OUTCOMES, said=SAID)
def test_no_rung_is_begun_while_another_is_tried_or_when_the_host_is_off(
    outcomes: list[str | None], said: list[tuple[float, str]]
) -> None:
    attempts = [tried(position, outcome) for position, outcome in enumerate(outcomes)]
    begun = following(*attempts, seen=read(*sorted(said, reverse=True))).do is Do.BEGIN
    assert not (begun and (None in outcomes or "off" in outcomes))


def test_only_off_means_fenced() -> None:
    assert is_fenced([tried(0, "failed"), tried(1, "off")])
    assert not is_fenced([tried(0, "failed"), tried(1)])


def test_why_each_rung_has_failed_is_told() -> None:
    attempts = [tried(0, "failed", reason="401"), tried(1, "failed", reason="silent")]
    assert failures(attempts) == "redfish at bmc: 401; ipmi at bmc: silent"


REQUIRED = FencePolicy.REQUIRED


def test_a_host_of_a_segment_that_says_so_may_be_fenced() -> None:
    for policy in (FencePolicy.IF_POSSIBLE, REQUIRED):
        assert forbidden(host(), policy, ()) is None


def test_a_host_of_a_segment_that_does_not_say_so_is_not_fenced() -> None:
    assert forbidden(host(), FencePolicy.NEVER, ()) == "its segment's policy says never"


def test_a_host_that_is_gone_is_not_fenced() -> None:
    assert forbidden(None, REQUIRED, ()) == "it is not registered any more"


@pytest.mark.parametrize("form", ["compute1", "comp*", "*"])
def test_a_host_that_is_named_is_not_fenced(form: str) -> None:
    assert forbidden(host(name="compute1"), REQUIRED, ("controller1", form)) == "never_fence names it"


def test_a_host_that_an_operator_has_put_on_maintenance_is_not_fenced() -> None:
    kept = host(on_maintenance=True, on_maintenance_for=None)
    assert forbidden(kept, REQUIRED, ()) == "an operator has put it on maintenance"


@pytest.mark.parametrize("earlier", ["its own recovery", "a process that was reported before"])
def test_maintenance_of_a_recovery_keeps_no_fence_away(earlier: str) -> None:
    assert forbidden(host(on_maintenance=True, on_maintenance_for=earlier), REQUIRED, ()) is None


def failed(number: int, *, ago: float) -> list[FenceAttempt]:
    """A round in which each rung has failed so many seconds ago."""
    return [tried(position, "failed", ago=ago, number=number) for position in range(len(LADDER))]


def test_a_ladder_that_was_climbed_in_vain_is_climbed_again_after_pauses_that_grow() -> None:
    assert following(*failed(1, ago=59)).do is Do.END
    assert following(*failed(1, ago=60)) == Step(Do.BEGIN, LADDER[0], round=2)
    assert following(*failed(1, ago=300), *failed(2, ago=119)).do is Do.END
    assert following(*failed(1, ago=300), *failed(2, ago=120)) == Step(Do.BEGIN, LADDER[0], round=3)
    assert following(*failed(40, ago=899)).do is Do.END
    assert following(*failed(40, ago=900)) == Step(Do.BEGIN, LADDER[0], round=41)


def test_in_a_round_each_rung_is_tried_once_in_order() -> None:
    second = [tried(0, "failed", number=2)]
    assert following(*failed(1, ago=90), *second) == Step(Do.BEGIN, LADDER[1], round=2)


def test_a_host_that_is_off_is_not_fenced_again_however_long_ago() -> None:
    assert following(*failed(1, ago=9999), tried(0, "off", ago=9000, number=2)).do is Do.END


def test_of_several_rounds_the_last_one_says_how_it_has_failed() -> None:
    attempts = [tried(0, "failed", reason="it was silent"), tried(0, "failed", reason="it refused", number=2)]
    assert failures(attempts) == "redfish at bmc: it refused"


def test_what_was_never_tried_is_not_tried_again() -> None:
    assert again_at([]) is None


def service(*, up: bool) -> ComputeService:
    """A compute service."""
    return ComputeService(id="1", host="compute1", up=up, disabled=False)


@pytest.mark.parametrize(
    ("policy", "found", "confirmed", "enabled", "says"),
    [
        (FencePolicy.REQUIRED, service(up=False), False, True, None),
        (FencePolicy.REQUIRED, None, False, True, None),
        (FencePolicy.REQUIRED, service(up=True), False, True, "it is not tried again while Nova calls"),
        (FencePolicy.REQUIRED, service(up=False), True, True, "an operator has confirmed"),
        (FencePolicy.REQUIRED, service(up=False), False, False, "its segment is disabled"),
        (FencePolicy.IF_POSSIBLE, service(up=False), False, True, "its segment's policy says if_possible"),
    ],
)
def test_a_ladder_is_climbed_again_only_where_that_still_is_asked_for_and_the_host_is_down(
    policy: FencePolicy, found: ComputeService | None, confirmed: bool, enabled: bool, says: str | None
) -> None:
    reason = reason_not_to_climb_again(policy, found, confirmed=confirmed, enabled=enabled)
    assert reason is None if says is None else reason is not None and reason.startswith(says)


@pytest.mark.parametrize(
    ("fence", "changed", "states", "attempts", "asked"),
    [
        ("never", 1, [], [], False),
        ("required", -999, [], [], True),  # the policy was changed after the flow was planned, and before the hold
        ("required", 1, [TaskState.SUCCESS], [tried(0, "failed")], True),
        ("required", -1, [TaskState.SUCCESS], [tried(0, "failed")], False),
        ("required", 1, [TaskState.SUCCESS, TaskState.RUNNING], [], False),
        ("required", 1, [TaskState.SUCCESS], [tried(0, "off")], False),
    ],
)
def test_a_policy_that_is_changed_while_a_recovery_is_held_asks_for_a_fence_once(
    fence: str, changed: float, states: list[TaskState], attempts: list[FenceAttempt], asked: bool
) -> None:
    policy = SegmentPolicy(
        segment_uuid=SegmentUuid("segment"), fence=FencePolicy(fence), updated_at=NOW + timedelta(seconds=changed)
    )
    assert is_asked_for_late(policy, NOW, states, attempts) is asked
