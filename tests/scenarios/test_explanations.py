"""An explanation answers five questions by what was written down, at whatever point of the story."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from instance_ha.decide.explanation import Explanation, Question, explain
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import explanations
from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

HERE = Path(__file__).parent


def explained(name: str, postgres: Postgres, stage: Stage) -> Explanation:
    """Play a folder to its end, and explain its first recovery."""
    scenario = Scenario.read(HERE / name)
    with TemporaryDirectory() as own:
        played = Play(scenario, stage, postgres, Path(own))
        played.run()
    with played.simulation.world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, NotificationUuid(played.callers.notifications[0]))
    return explain(rows, played.simulation.scheduler.now())


def answers(found: Explanation) -> list[str]:
    """Return the answers in a word."""
    return [str(one.answer) for one in found.questions]


def behind(question: Question) -> str:
    """Return the rows behind an answer."""
    return "\n".join(f"{one.table} {one.text}" for one in question.because)


def test_a_recovery_that_has_worked_is_explained_by_its_rows(postgres: Postgres, stage: Stage) -> None:
    found = explained("fence-works", postgres, stage)
    _, dead, planned, worked, cost = found.questions
    assert answers(found) == ["yes", "yes", "yes", "yes", "yes"]
    assert found.waits_for is None
    assert "evidence power_off: dead" in behind(dead)
    assert "the power is off" in behind(dead)
    assert "instances planned: vm-" in planned.text
    assert "vm-1 to compute" in behind(worked)
    assert "first evacuation begun" in cost.text
    assert [one.at for one in dead.because] == sorted(one.at for one in dead.because)


def asked(name: str, at: float, postgres: Postgres, stage: Stage) -> dict[str, Any]:
    """Play a folder, and ask the API for an explanation of the last report at a second of it."""
    scenario = Scenario.read(HERE / name)
    path = "/v1/x-instance-ha/explanations/NOTIFICATION"
    scenario.world["happenings"].append({"at": at, "api": {"function": "api-notifications", "path": path}})
    scenario.world["happenings"].sort(key=lambda one: one["at"])
    with TemporaryDirectory() as own:
        played = Play(scenario, stage, postgres, Path(own))
        played.run()
    return next(dict(answer["explanation"]) for answer in played.callers.answers if "explanation" in answer)


@pytest.mark.parametrize(
    ("name", "at", "acts", "dead", "waits_for"),
    [
        ("host-partitioned-but-alive", 100, "yes", "no", "these have ended, its power is seen to be off"),
        ("fence-fails-and-is-required", 100, "yes", "not_yet", "an operator confirms that it is dead"),
        (
            "no-bmc-operator-confirms",
            150,
            "not_yet",
            "not_yet",
            "or an operator confirms that it is dead (openstack ha evidence confirm)",
        ),
    ],
)
def test_a_held_recovery_says_what_it_waits_for_and_what_releases_it(
    name: str, at: float, acts: str, dead: str, waits_for: str, postgres: Postgres, stage: Stage
) -> None:
    found = asked(name, at, postgres, stage)
    assert waits_for in found["waits_for"]
    assert [one["answer"] for one in found["questions"]] == [acts, dead, "not_yet", "not_yet", "not_yet"], found


def test_the_wait_for_nova_is_said_with_its_limit(postgres: Postgres, stage: Stage) -> None:
    assert asked("host-dies", 30, postgres, stage)["waits_for"] == (
        "DisableComputeServiceTask: waiting until Nova calls the compute service of compute1 down, "
        "since 03:00:14 UTC, at most until 03:03:14 UTC"
    )


def test_what_was_waited_for_is_said_no_longer_than_that_lasts(postgres: Postgres, stage: Stage) -> None:
    found = asked("host-dies", 57, postgres, stage)
    assert found["waits_for"].startswith("EvacuateInstancesTask: Evacuation started"), found


def test_why_a_fence_has_failed_stands_behind_the_answer(postgres: Postgres, stage: Stage) -> None:
    found = asked("fence-fails-and-is-required", 100, postgres, stage)
    behind_it = [(one["table"], one["text"]) for one in found["questions"][1]["because"]]
    assert ("fence_attempts", "fence by redfish at compute1-bmc1: failed: the BMC answered 401") in behind_it


def test_a_recovery_that_was_never_to_begin_says_so_first(postgres: Postgres, stage: Stage) -> None:
    found = explained("process-without-recovery", postgres, stage)
    assert answers(found)[:2] == ["no", "not_asked"], found


def test_what_did_not_come_back_is_named_and_counted(postgres: Postgres, stage: Stage) -> None:
    found = explained("second-report-names-what-the-first-has-wrecked", postgres, stage)
    worked, cost = found.questions[3:]
    assert (str(worked.answer), "1 instance did not come back" in cost.text) == ("no", True)
    assert "vm-1 to compute2: failed" in behind(worked)


def test_a_storm_is_explained_by_what_the_gates_saw_and_who_approved(postgres: Postgres, stage: Stage) -> None:
    found = explained("storm-held-then-approved", postgres, stage)
    rows = behind(found.questions[0])
    assert "gate_decisions gate storm_segment: open" in rows
    assert "gate_decisions gate storm_segment: held: 4 of 10 hosts of its segment have failed at once" in rows
    assert "approvals approved by user admin: the operator says so, which opens storm_segment" in rows
    assert "gate_decisions gate storm_segment: approved" in rows
