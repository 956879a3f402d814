"""What a poll says of a guest, and what is reported of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide import guests
from instance_ha.decide.guests import PingSchedule
from instance_ha.models.guests import Channel, Domain, Fault, GuestHealth, GuestPolicy, GuestState

from tests.unit.build import NOW

POLICY = PingSchedule(threshold=3, interval=10)
DOMAIN = Domain(uuid="instance", id=1, running=True, channel=Channel.OPEN)
FRESH = GuestHealth(instance_uuid="instance", host_uuid="host")


def at(seconds: float) -> datetime:
    """A time of the story."""
    return NOW + timedelta(seconds=seconds)


def poll(known: GuestHealth, answered: bool | None, number: int, domain: Domain = DOMAIN) -> GuestHealth:
    """Make the poll of that number, every 10 seconds."""
    return guests.pinged(guests.observed(known, domain, "host", at(number * 10)), answered, at(number * 10))


def story(*answers: bool | None) -> GuestHealth:
    """Ping every 10 seconds."""
    known = FRESH
    for number, answered in enumerate(answers):
        known = poll(known, answered, number)
    return known


def events(known: GuestHealth, seconds: float = 0) -> list[str]:
    """What is to be reported."""
    return [report.payload["event"] for report in guests.due(known, "compute1", POLICY, at(seconds))]


def test_a_guest_that_never_answered_is_never_reported() -> None:
    known = story(*[False] * 20)
    assert (known.state, events(known)) == (GuestState.DISCOVERY, [])


def test_after_a_first_answer_a_guest_is_reported_at_exactly_the_threshold_of_misses() -> None:
    assert events(story(True, False, False)) == []
    assert events(story(True, False, False, False)) == ["QEMU_GUEST_AGENT_ERROR"]


def test_an_answer_in_between_begins_the_count_anew() -> None:
    assert events(story(True, False, False, True, False, False)) == []


def test_an_agent_that_could_not_be_asked_neither_answers_nor_misses() -> None:
    assert events(story(True, False, None, False, None)) == []
    assert events(story(True, False, None, False, None, False)) == ["QEMU_GUEST_AGENT_ERROR"]


@given(st.lists(st.sampled_from([True, False, None]), max_size=15))
def test_a_guest_is_reported_when_and_only_when_its_last_three_pings_were_missed_after_an_answer(
    answers: list[bool | None],
) -> None:
    asked = [answered for answered in answers if answered is not None]
    expected = True in asked and len(asked) > 3 and asked[-3:] == [False] * 3
    assert bool(events(story(*answers))) is expected


def test_the_report_is_that_of_the_original() -> None:
    (report,) = guests.due(story(True, False, False, False), "compute1", POLICY, at(30))
    assert (report.type, report.hostname, report.generated_time) == ("VM", "compute1", at(10))
    assert dict(report.payload) == {
        "event": "QEMU_GUEST_AGENT_ERROR",
        "vir_domain_event": "STOPPED_FAILED",
        "instance_uuid": "instance",
    }


def test_a_report_that_was_not_taken_is_due_again_while_the_guest_is_silent() -> None:
    known = story(True, False, False, False)
    assert events(poll(known, False, 4)) == ["QEMU_GUEST_AGENT_ERROR"]
    assert events(poll(known, True, 4)) == []


def test_a_reported_guest_is_not_reported_again_until_it_came_back_and_failed_again() -> None:
    known = replace(story(True, False, False, False), state=GuestState.REPORTED)
    known = poll(known, False, 4)
    assert events(known) == []
    known = poll(known, True, 5)
    for number in (6, 7, 8):
        known = poll(known, False, number)
    assert events(known) == ["QEMU_GUEST_AGENT_ERROR"]


def test_what_the_api_took_for_a_duplicate_is_reported_again_later_as_of_then() -> None:
    known = replace(story(True, False, False, False), muted_until=at(100))
    assert events(known, 99) == []
    (report,) = guests.due(known, "compute1", POLICY, at(100))
    assert report.generated_time == at(100)
    assert poll(known, True, 4).muted_until is None


@pytest.mark.parametrize("other", [replace(DOMAIN, id=2), replace(DOMAIN, id=None, running=False)])
def test_a_guest_that_was_started_anew_is_given_time(other: Domain) -> None:
    known = poll(story(True, False, False), False, 3, other)
    assert (known.state, events(known)) == (GuestState.DISCOVERY, [])


def test_a_guest_that_stops_its_agent_in_order_is_given_time_until_it_answers_again() -> None:
    rebooting = replace(DOMAIN, channel=Channel.CLOSED)
    known = poll(story(True, False, False), None, 3, rebooting)
    assert (known.state, known.misses, events(known)) == (GuestState.DISCOVERY, 0, [])
    assert not guests.wants_ping(known, rebooting, POLICY, at(40))
    for number in range(4, 20):
        known = poll(known, False, number)
    assert events(known) == []
    known = poll(known, True, 20)
    for number in (21, 22, 23):
        known = poll(known, False, number)
    assert events(known) == ["QEMU_GUEST_AGENT_ERROR"]


def test_a_guest_that_was_moved_is_given_time() -> None:
    moved = guests.observed(story(True, False, False), DOMAIN, "other host", at(30))
    assert (moved.state, moved.host_uuid) == (GuestState.DISCOVERY, "other host")


def test_a_guest_that_is_paused_for_a_moment_is_not_forgotten() -> None:
    paused = replace(DOMAIN, running=False)
    known = guests.observed(story(True, False, False), paused, "host", at(30))
    assert (known.state, known.misses) == (GuestState.ERROR, 2)


def _failed(fault: Fault = Fault.FAILED) -> Domain:
    return Domain(uuid="instance", id=None if fault is Fault.FAILED else 1, running=False, fault=fault)


@pytest.mark.parametrize(
    ("fault", "event", "detail"),
    [(Fault.FAILED, "LIFECYCLE", "STOPPED_FAILED"), (Fault.IO_ERROR, "IO_ERROR", "IO_ERROR_PAUSE")],
)
def test_a_domain_at_fault_is_reported_as_libvirts_event_would_have_reported_it(
    fault: Fault, event: str, detail: str
) -> None:
    known = guests.observed(story(True), _failed(fault), "host", at(10))
    (report,) = guests.due(known, "compute1", POLICY, at(10))
    assert dict(report.payload) == {"event": event, "vir_domain_event": detail, "instance_uuid": "instance"}
    assert not guests.is_about_agent(report)


def test_a_fault_is_reported_once_and_again_when_it_comes_again() -> None:
    known = guests.observed(story(True), _failed(), "host", at(10))
    reported = replace(known, fault_reported=True)
    assert events(guests.observed(reported, _failed(), "host", at(20))) == []
    again = guests.observed(guests.observed(reported, replace(DOMAIN, id=2), "host", at(30)), _failed(), "host", at(40))
    assert events(again) == ["LIFECYCLE"]


def test_a_fault_from_before_we_saw_the_domain_run_is_left_alone() -> None:
    assert events(guests.observed(FRESH, _failed(), "host", NOW)) == []


def test_a_domain_that_was_shut_down_in_order_and_shows_a_fault_later_is_left_alone() -> None:
    off = guests.observed(story(True), Domain(uuid="instance", id=None, running=False), "host", at(10))
    assert events(guests.observed(off, _failed(), "host", at(20))) == []


def test_only_running_guests_with_an_agent_and_with_the_switch_on_are_asked_and_at_their_pace() -> None:
    assert guests.wants_ping(FRESH, DOMAIN, POLICY, NOW)
    assert not guests.wants_ping(FRESH, replace(DOMAIN, channel=Channel.NONE), POLICY, NOW)
    assert not guests.wants_ping(FRESH, replace(DOMAIN, running=False), POLICY, NOW)
    assert not guests.wants_ping(FRESH, DOMAIN, replace(POLICY, on=False), NOW)
    asked = replace(FRESH, pinged_at=NOW)
    assert not guests.wants_ping(asked, DOMAIN, POLICY, at(5))
    assert guests.wants_ping(asked, DOMAIN, POLICY, at(9.5))


def test_metadata_says_how_an_instance_is_watched_and_else_its_flavor() -> None:
    flavor = {guests.SWITCH: "false", guests.THRESHOLD: "5", "hw:cpu_policy": "dedicated"}
    assert guests.policy({}, flavor) == GuestPolicy(on=False, threshold=5)
    assert guests.policy({guests.SWITCH: "Yes", guests.INTERVAL: "30"}, flavor) == GuestPolicy(True, 30, 5)


@given(st.text(), st.text(), st.text())
def test_words_that_make_no_sense_are_no_trouble(switch: str, interval: str, threshold: str) -> None:
    said = {guests.SWITCH: switch, guests.INTERVAL: interval, guests.THRESHOLD: threshold}
    how = guests.schedule(guests.policy(said, {}), POLICY)
    assert how.interval >= POLICY.interval
    assert how.threshold >= 1


@pytest.mark.parametrize("text", ["", "many", "0", "-1", "nan", "inf", "1e9"])
def test_a_number_that_makes_no_sense_says_nothing(text: str) -> None:
    assert guests.policy({guests.INTERVAL: text, guests.THRESHOLD: text}, {}) == GuestPolicy()


def test_an_owner_may_ask_for_fewer_pings_but_not_for_more() -> None:
    assert guests.schedule(GuestPolicy(interval=60), POLICY).interval == 60
    assert guests.schedule(GuestPolicy(interval=1), POLICY).interval == 10
    assert guests.schedule(GuestPolicy(), POLICY) == POLICY
    assert not guests.schedule(GuestPolicy(), replace(POLICY, on=False)).on
    assert guests.schedule(GuestPolicy(on=True), replace(POLICY, on=False)).on


def test_a_guest_that_is_not_to_be_asked_any_more_is_not_reported_for_old_misses() -> None:
    assert events(guests.switched_off(story(True, False, False, False))) == []
