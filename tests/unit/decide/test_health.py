"""What a window of samples says, and what is told of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide import health
from instance_ha.models.health import (
    HostHealth,
    HostState,
    NotificationRequest,
    NotificationResponse,
    Observation,
    Reading,
    RegisteredHost,
    ReportState,
    Sample,
    Strategy,
)

from tests.unit.build import NOW

UP, DOWN, UNKNOWN = Reading.UP, Reading.DOWN, Reading.UNKNOWN
STRATEGY = Strategy(("node",), frozenset({(DOWN,)}))
PATIENCE = timedelta(seconds=180)
WINDOW = health.Window(3, timedelta(seconds=30))


def at(seconds: float) -> datetime:
    """A time of the story."""
    return NOW + timedelta(seconds=seconds)


def watched(known: HostHealth | None = None, *, judged: bool = True) -> RegisteredHost:
    """A registered host."""
    known = known or HostHealth(host_uuid="host")
    return RegisteredHost(name="compute1", segment_uuid="s", segment_name="rack", judged=judged, health=known)


def see(
    host: RegisteredHost, reading: Reading | None, seconds: float, window: health.Window = WINDOW
) -> RegisteredHost:
    """Make one look."""
    observation = None if reading is None else Observation({"node": reading})
    return watched(health.poll(host, observation, at(seconds), STRATEGY, window))


def story(*readings: Reading | None, window: health.Window = WINDOW, every: float = 10) -> RegisteredHost:
    """Make a look every 10 seconds."""
    host = watched()
    for number, reading in enumerate(readings):
        host = see(host, reading, number * every, window)
    return host


def due(host: RegisteredHost) -> NotificationRequest | None:
    """What is to be told, if our eyes were never in doubt."""
    return health.due(host, host.health, at(0), PATIENCE)


def told(host: RegisteredHost, what: ReportState) -> RegisteredHost:
    """The API has taken a report."""
    return watched(replace(host.health, told=what))


def test_a_host_is_down_only_when_its_whole_window_says_so() -> None:
    assert story(DOWN, DOWN).health.state is HostState.UNSURE
    assert story(UP, DOWN, DOWN).health.state is HostState.UNSURE
    assert story(UP, DOWN, DOWN, DOWN).health.state is HostState.DOWN


def test_with_a_window_of_one_the_first_look_decides() -> None:
    one = health.Window(1, timedelta(seconds=30))
    assert due(story(DOWN, window=one)) is not None


def test_a_host_that_is_down_at_the_first_look_is_told_when_its_window_is_full() -> None:
    assert due(story(DOWN, DOWN)) is None
    report = due(story(DOWN, DOWN, DOWN))
    assert report is not None
    assert dict(report.payload) == {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
    assert (report.hostname, report.type, report.generated_time) == ("compute1", "COMPUTE_HOST", at(20))


def test_a_host_that_is_up_at_the_first_look_is_no_news() -> None:
    assert due(story(UP, UP, UP)) is None


@given(st.lists(st.sampled_from([UP, DOWN, UNKNOWN, None]), max_size=12))
def test_down_is_told_exactly_when_the_last_window_says_nothing_else(readings: list[Reading | None]) -> None:
    host = story(*readings)
    assert (due(host) is not None) == (len(readings) >= 3 and readings[-3:] == [DOWN] * 3)
    assert len(host.health.samples) == min(3, len(readings))


def test_what_was_told_is_not_told_again() -> None:
    assert due(told(story(DOWN, DOWN, DOWN), ReportState.STOPPED)) is None


def test_a_report_that_was_not_taken_is_due_again_with_the_same_time() -> None:
    first = story(DOWN, DOWN, DOWN)
    assert due(see(first, DOWN, 30)) == due(first)


def test_a_report_that_was_not_taken_is_not_due_any_more_when_the_host_is_back() -> None:
    host = story(DOWN, DOWN, DOWN, UP, UP, UP)
    assert due(host) is None


def test_a_told_host_that_is_up_again_gets_its_start_told_once() -> None:
    host = story(DOWN, DOWN, DOWN)
    for number in range(3, 6):
        host = see(told(host, ReportState.STOPPED), UP, number * 10)
    report = due(host)
    assert report is not None
    assert dict(report.payload) == {"event": "STARTED", "cluster_status": "ONLINE", "host_status": "NORMAL"}
    assert health.told_by(report, NotificationResponse(202, "")) is ReportState.STARTED
    assert due(told(host, ReportState.STARTED)) is None


def test_a_host_that_failed_again_is_told_again_with_a_new_time() -> None:
    host = story(DOWN, DOWN, DOWN, UP, UP, UP, DOWN, DOWN, DOWN)
    report = due(told(host, ReportState.STARTED))
    assert report is not None
    assert report.generated_time == at(80)
    assert health.told_by(report, NotificationResponse(202, "")) is ReportState.STOPPED


def test_what_the_api_took_for_a_duplicate_is_told_again_later_as_of_then_while_it_holds() -> None:
    first = story(DOWN, DOWN, DOWN)
    report = due(first)
    assert report is not None
    assert health.told_by(report, NotificationResponse(409, "known")) is ReportState.KNOWN
    known = watched(replace(first.health, told=ReportState.KNOWN, told_at=at(20)))
    assert health.due(known, known.health, at(200), PATIENCE) is None
    again = health.due(known, known.health, at(210), PATIENCE)
    assert again is not None
    assert (again.payload, again.generated_time) == (report.payload, at(210))


def test_a_host_that_is_not_judged_is_forgotten_and_never_told() -> None:
    left = watched(story(DOWN, DOWN, DOWN).health, judged=False)
    assert due(left) is None
    forgotten = health.poll(left, Observation({"node": DOWN}), at(30), STRATEGY, WINDOW)
    assert (forgotten.samples, forgotten.state) == ((), HostState.UNSURE)


@pytest.mark.parametrize(("reading", "event"), [(UP, "STARTED"), (DOWN, "STOPPED")])
def test_after_maintenance_a_host_that_was_told_down_is_told_as_it_is(reading: Reading, event: str) -> None:
    host = watched(health.away(told(story(DOWN, DOWN, DOWN), ReportState.STOPPED).health))
    for number in range(3):
        host = see(host, reading, 100 + number * 10)
    report = due(host)
    assert report is not None
    assert report.payload["event"] == event


def test_a_gap_begins_the_window_anew_and_counts_for_nothing() -> None:
    host = see(see(story(DOWN, DOWN), DOWN, 100), DOWN, 110)
    assert [s.at for s in host.health.samples] == [at(100), at(110)]
    assert host.health.state is HostState.UNSURE
    assert see(host, DOWN, 120).health.state is HostState.DOWN


def test_one_missed_look_is_no_gap() -> None:
    assert see(story(DOWN, DOWN), DOWN, 30).health.state is HostState.DOWN


def test_the_same_look_is_never_counted_twice() -> None:
    host = story(DOWN, DOWN)
    assert see(host, DOWN, 10).health.samples == host.health.samples


def test_samples_of_other_networks_do_not_count() -> None:
    old = tuple(Sample(at(n), {"storage": DOWN}) for n in range(2))
    assert see(watched(HostHealth(host_uuid="host", samples=old)), DOWN, 10).health.state is HostState.UNSURE


def test_a_poll_is_late_only_after_more_than_one_missed_look() -> None:
    gap = health.longest_gap(60, 50)
    window = health.Window(1, gap)
    assert not health.is_late(None, NOW, window)
    assert not health.is_late(NOW, at(121), window)
    assert health.is_late(NOW, at(180), window)


@pytest.mark.parametrize("interval", [1, 2, 5, 10, 20, 30, 45])
def test_the_pause_between_two_ticks_is_no_gap(interval: float) -> None:
    last = max(n * interval for n in range(60) if n * interval < 50)
    assert timedelta(seconds=60 - last) <= health.longest_gap(interval, 50)


def test_in_doubt_samples_are_forgotten_and_the_first_look_afterwards_is_not_believed() -> None:
    one = health.Window(1, timedelta(seconds=30))
    doubted = watched(health.doubt(story(DOWN, DOWN).health))
    assert due(doubted) is None
    first = see(doubted, DOWN, 30, one)
    assert health.due(first, doubted.health, at(30), PATIENCE) is None
    second = see(first, DOWN, 40, one)
    assert health.due(second, first.health, at(40), PATIENCE) is not None


def test_a_host_out_of_service_on_purpose_is_not_expected_to_stay() -> None:
    administratively_down = Observation({"node": UP}, administratively_down=True)
    assert not health.poll(watched(), administratively_down, NOW, STRATEGY, WINDOW).listed
    assert health.poll(watched(), Observation({"node": UP}), NOW, STRATEGY, WINDOW).listed
    assert not health.poll(watched(), None, NOW, STRATEGY, WINDOW).listed
