"""The tasks of a flow as rows: planned in order, and read one after the other."""

from dataclasses import dataclass

from instance_ha.models.enums import Flow, TaskState
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import segments, tasks

from tests.unit.build import NOW
from tests.unit.store.conftest import Rows

OF = NotificationUuid("notification")


@dataclass(frozen=True)
class Found:
    """What a task remembers."""

    number: int


def test_what_is_planned_comes_after_what_the_attempt_has_already(rows: Rows) -> None:
    with rows.database.begin() as connection:
        tasks.plan(connection, OF, 1, Flow.HOST_AUTO, ["a", "b"])
        tasks.plan(connection, OF, 2, Flow.HOST_AUTO, ["other"])
        tasks.plan(connection, OF, 1, Flow.HOST_RESERVED, ["c", "d"])
        planned = [(one.attempt, one.position, one.name) for one in tasks.of_notification(connection, OF)]
    assert planned == [(1, 0, "a"), (1, 1, "b"), (1, 2, "c"), (1, 3, "d"), (2, 0, "other")]


def test_the_first_task_of_a_plan_may_be_given_a_memory(rows: Rows) -> None:
    with rows.database.begin() as connection:
        tasks.plan(connection, OF, 1, Flow.HOST_AUTO, ["a", "b"], Found(7))
        first, second = tasks.of_notification(connection, OF)
        assert (tasks.recall(connection, first, Found), tasks.recall(connection, second, Found)) == (Found(7), None)
        assert (tasks.remembered(first, Found), tasks.remembered(second, Found)) == (Found(7), None)


def test_the_next_task_is_read_with_whether_its_segment_is_enabled_then(rows: Rows) -> None:
    segment = rows.segment()
    with rows.database.begin() as connection:
        tasks.plan(connection, OF, 1, Flow.HOST_AUTO, ["a", "b"])
        first, enabled = tasks.next_to_run(connection, OF, 1, segment.uuid)
        assert first == tasks.next_open(connection, OF, 1)
        assert first is not None
        assert (first.name, enabled) == ("a", True)
        tasks.add_progress(connection, first, NOW, [(1.0, "done")], TaskState.SUCCESS)
        segments.change(connection, segment.uuid, {"enabled": False}, NOW)
        second, enabled = tasks.next_to_run(connection, OF, 1, segment.uuid)
        assert second is not None
        assert (second.name, enabled) == ("b", False)
        segments.delete(connection, segment.uuid, NOW)
        assert tasks.next_to_run(connection, OF, 1, segment.uuid) == (second, False)
        tasks.add_progress(connection, second, NOW, [(1.0, "done")], TaskState.SUCCESS)
        assert tasks.next_to_run(connection, OF, 1, segment.uuid) == (None, False)
