"""What a window of samples says, and what is reported of it."""

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


def registered(known: HostHealth | None = None, *, monitored: bool = True) -> RegisteredHost:
    """A registered host."""
    known = known or HostHealth(host_uuid="host")
    return RegisteredHost(name="compute1", segment_uuid="s", segment_name="rack", monitored=monitored, health=known)


def see(
    host: RegisteredHost, reading: Reading | None, seconds: float, window: health.Window = WINDOW
) -> RegisteredHost:
    """Make one poll."""
    observation = None if reading is None else Observation({"node": reading})
    return registered(health.evaluate_host(host, observation, at(seconds), STRATEGY, window))


def story(*readings: Reading | None, window: health.Window = WINDOW, every: float = 10) -> RegisteredHost:
    """Make a poll every 10 seconds."""
    host = registered()
    for number, reading in enumerate(readings):
        host = see(host, reading, number * every, window)
    return host


def due(host: RegisteredHost) -> NotificationRequest | None:
    """What is to be reported, if no report is suppressed."""
    return health.due(host, host.health, at(0), PATIENCE)


def reported(host: RegisteredHost, what: ReportState) -> RegisteredHost:
    """The API has taken a report."""
    return registered(replace(host.health, reported=what))


def test_a_host_is_down_only_when_its_whole_window_says_so() -> None:
    assert story(DOWN, DOWN).health.state is HostState.UNKNOWN
    assert story(UP, DOWN, DOWN).health.state is HostState.UNKNOWN
    assert story(UP, DOWN, DOWN, DOWN).health.state is HostState.DOWN


def test_with_a_window_of_one_the_first_poll_decides() -> None:
    one = health.Window(1, timedelta(seconds=30))
    assert due(story(DOWN, window=one)) is not None


def test_a_host_that_is_down_at_the_first_poll_is_reported_when_its_window_is_full() -> None:
    assert due(story(DOWN, DOWN)) is None
    report = due(story(DOWN, DOWN, DOWN))
    assert report is not None
    assert dict(report.payload) == {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
    assert (report.hostname, report.type, report.generated_time) == ("compute1", "COMPUTE_HOST", at(20))


def test_a_host_that_is_up_at_the_first_poll_is_no_news() -> None:
    assert due(story(UP, UP, UP)) is None


@given(st.lists(st.sampled_from([UP, DOWN, UNKNOWN, None]), max_size=12))
def test_down_is_reported_exactly_when_the_last_window_says_nothing_else(readings: list[Reading | None]) -> None:
    host = story(*readings)
    assert (due(host) is not None) == (len(readings) >= 3 and readings[-3:] == [DOWN] * 3)
    assert len(host.health.samples) == min(3, len(readings))


def test_what_was_reported_is_not_reported_again() -> None:
    assert due(reported(story(DOWN, DOWN, DOWN), ReportState.STOPPED)) is None


def test_a_report_that_was_not_taken_is_due_again_with_the_same_time() -> None:
    first = story(DOWN, DOWN, DOWN)
    assert due(see(first, DOWN, 30)) == due(first)


def test_a_report_that_was_not_taken_is_not_due_any_more_when_the_host_is_back() -> None:
    host = story(DOWN, DOWN, DOWN, UP, UP, UP)
    assert due(host) is None


def test_a_reported_host_that_is_up_again_gets_its_start_reported_once() -> None:
    host = story(DOWN, DOWN, DOWN)
    for number in range(3, 6):
        host = see(reported(host, ReportState.STOPPED), UP, number * 10)
    report = due(host)
    assert report is not None
    assert dict(report.payload) == {"event": "STARTED", "cluster_status": "ONLINE", "host_status": "NORMAL"}
    assert health.report_state(report, NotificationResponse(202, "")) is ReportState.STARTED
    assert due(reported(host, ReportState.STARTED)) is None


def test_a_host_that_failed_again_is_reported_again_with_a_new_time() -> None:
    host = story(DOWN, DOWN, DOWN, UP, UP, UP, DOWN, DOWN, DOWN)
    report = due(reported(host, ReportState.STARTED))
    assert report is not None
    assert report.generated_time == at(80)
    assert health.report_state(report, NotificationResponse(202, "")) is ReportState.STOPPED


def test_what_the_api_took_for_a_duplicate_is_reported_again_later_as_of_then_while_it_holds() -> None:
    first = story(DOWN, DOWN, DOWN)
    report = due(first)
    assert report is not None
    assert health.report_state(report, NotificationResponse(409, "known")) is ReportState.DUPLICATE
    known = registered(replace(first.health, reported=ReportState.DUPLICATE, reported_at=at(20)))
    assert health.due(known, known.health, at(200), PATIENCE) is None
    again = health.due(known, known.health, at(210), PATIENCE)
    assert again is not None
    assert (again.payload, again.generated_time) == (report.payload, at(210))


def test_a_host_that_is_not_monitored_is_forgotten_and_never_reported() -> None:
    left = registered(story(DOWN, DOWN, DOWN).health, monitored=False)
    assert due(left) is None
    forgotten = health.evaluate_host(left, Observation({"node": DOWN}), at(30), STRATEGY, WINDOW)
    assert (forgotten.samples, forgotten.state) == ((), HostState.UNKNOWN)


@pytest.mark.parametrize(("reading", "event"), [(UP, "STARTED"), (DOWN, "STOPPED")])
def test_after_maintenance_a_host_that_was_reported_down_is_reported_as_it_is(reading: Reading, event: str) -> None:
    host = registered(health.reset(reported(story(DOWN, DOWN, DOWN), ReportState.STOPPED).health))
    for number in range(3):
        host = see(host, reading, 100 + number * 10)
    report = due(host)
    assert report is not None
    assert report.payload["event"] == event


def test_a_gap_begins_the_window_anew_and_counts_for_nothing() -> None:
    host = see(see(story(DOWN, DOWN), DOWN, 100), DOWN, 110)
    assert [s.at for s in host.health.samples] == [at(100), at(110)]
    assert host.health.state is HostState.UNKNOWN
    assert see(host, DOWN, 120).health.state is HostState.DOWN


def test_one_missed_poll_is_no_gap() -> None:
    assert see(story(DOWN, DOWN), DOWN, 30).health.state is HostState.DOWN


def test_the_same_poll_is_never_counted_twice() -> None:
    host = story(DOWN, DOWN)
    assert see(host, DOWN, 10).health.samples == host.health.samples


def test_samples_of_other_networks_do_not_count() -> None:
    old = tuple(Sample(at(n), {"storage": DOWN}) for n in range(2))
    assert see(registered(HostHealth(host_uuid="host", samples=old)), DOWN, 10).health.state is HostState.UNKNOWN


def test_a_poll_is_late_only_after_more_than_one_missed_poll() -> None:
    gap = health.longest_gap(60, 50)
    window = health.Window(1, gap)
    assert not health.is_late(None, NOW, window)
    assert not health.is_late(NOW, at(121), window)
    assert health.is_late(NOW, at(180), window)


@pytest.mark.parametrize("interval", [1, 2, 5, 10, 20, 30, 45])
def test_the_pause_between_two_ticks_is_no_gap(interval: float) -> None:
    last = max(n * interval for n in range(60) if n * interval < 50)
    assert timedelta(seconds=60 - last) <= health.longest_gap(interval, 50)


def test_suppressed_samples_are_forgotten_and_the_first_poll_afterwards_is_not_believed() -> None:
    one = health.Window(1, timedelta(seconds=30))
    suppressed = registered(health.suppress(story(DOWN, DOWN).health))
    assert due(suppressed) is None
    first = see(suppressed, DOWN, 30, one)
    assert health.due(first, suppressed.health, at(30), PATIENCE) is None
    second = see(first, DOWN, 40, one)
    assert health.due(second, first.health, at(40), PATIENCE) is not None


def test_a_host_out_of_service_on_purpose_is_not_expected_to_stay() -> None:
    administratively_down = Observation({"node": UP}, administratively_down=True)
    assert not health.evaluate_host(registered(), administratively_down, NOW, STRATEGY, WINDOW).listed
    assert health.evaluate_host(registered(), Observation({"node": UP}), NOW, STRATEGY, WINDOW).listed
    assert not health.evaluate_host(registered(), None, NOW, STRATEGY, WINDOW).listed
