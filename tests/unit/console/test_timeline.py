"""The timeline of a recovery, as it is drawn."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from instance_ha.console.timeline import Phase, Timeline, draw, phase_of
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import InstanceFacts, VMove
from instance_ha.models.uuids import InstanceUuid, NotificationUuid, VMoveUuid

BEGUN = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
_BAR = re.compile(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-[\d.]+z")


def after(seconds: float) -> datetime:
    """Return a time in the recovery."""
    return BEGUN + timedelta(seconds=seconds)


def move(position: int = 0, priority: int = 0, **about: Any) -> VMove:
    """Return a vmove that was planned 10 s after the report."""
    return VMove(
        id=position,
        created_at=after(10),
        uuid=VMoveUuid(f"move-{position}"),
        notification_uuid=NotificationUuid("n"),
        instance_uuid=InstanceUuid(f"instance-{position}"),
        instance_name=f"vm-{position}",
        source_host="compute1",
        position=position,
        facts=InstanceFacts(priority=priority),
        **about,
    )


def moved(position: int = 0, priority: int = 0) -> VMove:
    """Return a vmove that has ended well after 100 s."""
    times = {"start_time": after(20), "asked_at": after(30), "moved_at": after(80), "end_time": after(100)}
    return move(position, priority, status=VMoveStatus.SUCCEEDED, **times)


def drawn(*moves: VMove, now: float = 1000) -> Timeline:
    """Draw."""
    found = draw(moves, BEGUN, after(now))
    assert found is not None
    return found


def bars(timeline: Timeline, phase: Phase) -> list[tuple[float, ...]]:
    """Return place and size of the bars of a phase."""
    return [tuple(map(float, bar)) for bar in _BAR.findall(timeline.paths.get(phase, ""))]


def test_a_recovery_without_instances_has_no_timeline() -> None:
    assert draw([], BEGUN, after(1)) is None


def test_each_phase_is_as_long_as_it_lasted_and_begins_where_the_one_before_ends() -> None:
    timeline = drawn(moved())
    lengths, end = {}, None
    for phase in (Phase.WAITING, Phase.ASKED, Phase.MOVING, Phase.RESTORING):
        ((x, _, wide, _),) = bars(timeline, phase)
        assert end is None or x == pytest.approx(end, abs=0.2)
        lengths[phase], end = wide, x + wide
    second = lengths[Phase.MOVING] / 50
    assert lengths == {
        Phase.WAITING: pytest.approx(10 * second, abs=0.2),
        Phase.ASKED: pytest.approx(10 * second, abs=0.2),
        Phase.MOVING: pytest.approx(50 * second),
        Phase.RESTORING: pytest.approx(20 * second, abs=0.2),
    }


def test_what_has_not_ended_lasts_until_now() -> None:
    timeline = drawn(moved(0), move(1, status=VMoveStatus.ONGOING, start_time=after(20), asked_at=after(30)), now=200)
    (_, other) = bars(timeline, Phase.MOVING)
    assert other[0] + other[2] == pytest.approx(840, abs=0.2)


def test_a_failed_instance_is_marked_where_it_ended() -> None:
    failed = move(0, status=VMoveStatus.FAILED, start_time=after(20), asked_at=after(30), end_time=after(50))
    timeline = drawn(failed, moved(1))
    ((x, y, _, _),) = bars(timeline, Phase.FAILED)
    (bar, _) = bars(timeline, Phase.MOVING)
    assert x == pytest.approx(bar[0] + bar[2], abs=0.2)
    assert y == bar[1]
    assert timeline.counts[Phase.FAILED] == 1


def test_higher_priorities_stand_above_lower_ones_with_their_counts() -> None:
    timeline = drawn(moved(0, priority=0), move(1, priority=10), moved(2, priority=10))
    assert [group.text for group in timeline.groups] == ["Priority 10: 1 of 2 restored", "Priority 0: 1 of 1 restored"]
    assert [name.text for name in timeline.names] == ["vm-1", "vm-2", "vm-0"]
    assert timeline.groups[0].y < timeline.names[0].y < timeline.names[1].y < timeline.groups[1].y


@pytest.mark.parametrize(("instances", "highest"), [(30, 700), (90, 1000), (250, 1400), (500, 1200), (1000, 2200)])
def test_a_timeline_is_no_higher_than_one_can_scroll(instances: int, highest: float) -> None:
    assert drawn(*(moved(number) for number in range(instances))).height <= highest


def test_bars_of_500_instances_do_not_overlap_and_take_little_space() -> None:
    timeline = drawn(*(moved(number) for number in range(500)))
    rows = [(y, thick) for _, y, _, thick in bars(timeline, Phase.MOVING)]
    assert all(y + thick <= below for (y, thick), (below, _) in pairwise(rows))
    assert sum(map(len, timeline.paths.values())) < 60_000


@pytest.mark.parametrize(
    ("seconds", "marks"),
    [
        (6, ["+0 s", "+1 s", "+2 s"]),
        (40, ["+0 s", "+5 s", "+10 s"]),
        (400, ["+0 s", "+1 min", "+2 min"]),
        (20_000, ["+0 s", "+1 h", "+2 h"]),
    ],
)
def test_times_are_marked_in_round_steps(seconds: float, marks: list[str]) -> None:
    timeline = drawn(move(), now=seconds)
    assert [mark.text for mark in timeline.marks][:3] == marks
    assert len(timeline.marks) <= 9


@pytest.mark.parametrize(
    ("about", "word"),
    [
        ({}, "waiting"),
        ({"start_time": after(1)}, "asked"),
        ({"start_time": after(1), "asked_at": after(2)}, "moving"),
        ({"start_time": after(1), "asked_at": after(2), "moved_at": after(3)}, "restoring"),
        ({"end_time": after(4), "status": VMoveStatus.SUCCEEDED}, "restored"),
        ({"end_time": after(4), "status": VMoveStatus.FAILED}, "failed"),
        ({"status": VMoveStatus.IGNORED}, "ignored"),
    ],
)
def test_how_far_an_instance_is_is_said_in_a_word(about: dict[str, Any], word: str) -> None:
    assert phase_of(move(**about)) == word
