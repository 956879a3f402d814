"""A plan says what the recovery then does: the same instances, in the same order, to the same reserved hosts."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

HERE = Path(__file__).parent
FOLDERS = (
    "amphora-is-left-to-octavia",
    "being-deleted-or-built",
    "evacuated-by-an-operator-just-before",
    "host-dies-with-HA_Enabled-first",
    "instance-locked-by-user",
    "local-disk-left",
    "priorities-go-first",
    "reserved-host-full-next-one-takes-over",
    "rh-priority-falls-back-to-auto",
    "second-report-after-a-failed-recovery",
    "second-report-names-what-the-first-has-wrecked",
)


def play(name: str, postgres: Postgres, stage: Stage, nth: int = -1) -> Play:
    """Play a scenario in which a plan is asked for right before the last report of a host, or the ``nth`` one."""
    scenario = Scenario.read(HERE / name)
    happenings = scenario.world["happenings"]
    report = [one for one in happenings if "notify" in one][nth]
    body = {"plan": {"host": report["notify"]}}
    call = {"function": "api-hosts", "method": "POST", "path": "/v1/x-instance-ha/plans", "body": body}
    happenings.insert(happenings.index(report), {"at": report["at"] - 0.1, "api": call})
    with TemporaryDirectory() as own:
        played = Play(scenario, stage, postgres, Path(own))
        played.run()
    return played


def plan_at(name: str, at: float, host: str, postgres: Postgres, stage: Stage) -> dict[str, Any]:
    """Play a scenario in which a plan of a host is asked for at a second, after all else that happens then."""
    played = _played(Scenario.read(HERE / name), at, host, postgres, stage)
    (plan,) = next(answer["plans"] for answer in played.callers.answers if "plans" in answer)
    return dict(plan)


def _played(scenario: Scenario, at: float, host: str, postgres: Postgres, stage: Stage) -> Play:
    body = {"plan": {"host": host}}
    call = {"function": "api-hosts", "method": "POST", "path": "/v1/x-instance-ha/plans", "body": body}
    scenario.world["happenings"].append({"at": at, "api": call})
    with TemporaryDirectory() as own:
        played = Play(scenario, stage, postgres, Path(own))
        played.run()
    return played


def planned(played: Play, nth: int) -> list[str]:
    """Return what the recovery of a report has planned first, in order."""
    of_it = [move for move in played.tables.vmoves() if move["notification_uuid"] == played.callers.notifications[nth]]
    return [move["instance_name"] for move in of_it if (move["attempt"], move["round"]) == (1, 1)]


@pytest.mark.parametrize(("name", "nth"), [(name, -1) for name in FOLDERS] + [(FOLDERS[-1], 1)])
def test_a_recovery_does_what_its_plan_says(name: str, nth: int, postgres: Postgres, stage: Stage) -> None:
    played = play(name, postgres, stage, nth)
    (plan,) = played.callers.answers[-1]["plans"]
    assert [instance["name"] for instance in plan["instances"]] == planned(played, nth)
    assert plan["outlook"] == ("evacuates" if plan["instances"] else "nothing"), plan
    if plan["methods"][0] == "reserved_host":
        targets = [move["target_host"] for move in played.tables.vmoves()]
        used = list(dict.fromkeys(target for target in targets if target is not None))
        assert [host["name"] for host in plan["reserved_hosts"]][: len(used)] == used


def test_what_would_be_left_is_named_with_its_reason(postgres: Postgres, stage: Stage) -> None:
    played = play("local-disk-left", postgres, stage)
    (plan,) = played.callers.answers[-1]["plans"]
    assert {(left["name"][:5], "disk is lost" in left["reason"]) for left in plan["left_out"]} == {("local", True)}
    assert not any(instance["disk_lost"] for instance in plan["instances"])


def test_what_has_left_the_host_already_keeps_its_priority(postgres: Postgres, stage: Stage) -> None:
    scenario = Scenario.read(HERE / "second-report-names-what-the-first-has-wrecked")
    scenario.world["hosts"]["compute1"]["instances"][0]["metadata"] = {"HA_Priority": "7"}
    played = _played(scenario, 399.9, "compute1", postgres, stage)
    (plan,) = next(answer["plans"] for answer in played.callers.answers if "plans" in answer)
    assert [one["priority"] for one in plan["instances"] if one["name"] == "vm-1"] == [7]


def test_while_a_cell_does_not_answer_there_is_no_empty_plan(postgres: Postgres, stage: Stage) -> None:
    played = play("cell-down-is-not-empty", postgres, stage)
    (plan,) = played.callers.answers[-1]["plans"]
    assert (plan["outlook"], plan["instances"]) == ("not_known", None), plan
    assert plan["message"]


def test_a_held_recovery_says_in_its_plan_what_releases_it(postgres: Postgres, stage: Stage) -> None:
    played = play("local-disk-held", postgres, stage)
    (plan,) = played.callers.answers[-1]["plans"]
    held = [step["text"] for step in plan["before"] if step["holds"]]
    assert plan["outlook"] == "held"
    assert any("evacuate or leave for local_disk" in text for text in held), held
    assert any(instance["disk_lost"] for instance in plan["instances"])


@pytest.mark.parametrize(
    ("name", "nth", "says"),
    [
        ("fence-works", -1, "the power of compute1 is cut by the ways that fencing.yaml names"),
        ("fence-of-a-named-host", 0, "compute1 is not fenced: never_fence names it"),
        ("service-forced-down", -1, "Nova is told that it is down (force_down)"),
        ("service-slow-to-go-down", -1, "Nova must call it down"),
    ],
)
def test_a_plan_says_what_is_asked_before_the_first_evacuation(
    name: str, nth: int, says: str, postgres: Postgres, stage: Stage
) -> None:
    played = play(name, postgres, stage, nth)
    (plan,) = played.callers.answers[-1]["plans"]
    assert any(says in step["text"] for step in plan["before"]), plan


def test_of_two_hosts_that_fail_at_once_each_takes_a_reserved_host_of_its_own(
    postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    body = {"plan": {"hosts": ["compute1", "compute2"]}}
    call = {"function": "api-hosts", "method": "POST", "path": "/v1/x-instance-ha/plans", "body": body}
    world: dict[str, Any] = {
        "segments": {
            "one": {"method": "reserved_host", "hosts": ["compute1", "compute2"], "reserved": ["spare1", "spare2"]}
        },
        "hosts": {
            "compute1": {"instances": [{"count": 2}]},
            "compute2": {"instances": [{"count": 2}]},
            "spare1": None,
            "spare2": None,
        },
        "lasts": 130,
        "happenings": [{"at": 30, "api": call}, {"at": 31, "kill_host": "spare2"}, {"at": 120, "api": call}],
    }
    played = Play(Scenario(tmp_path, world), stage, postgres, tmp_path)
    played.run()
    before, after = ([plan["reserved_hosts"] for plan in answer["plans"]] for answer in played.callers.answers)
    assert [[host["name"] for host in hosts] for hosts in before] == [["spare2", "spare1"], ["spare1"]]
    assert [[(host["name"], host["reason"]) for host in hosts] for hosts in after] == [
        [("spare2", "its compute service is down"), ("spare1", None)],
        [("spare2", "its compute service is down")],
    ]


@pytest.mark.parametrize(("together", "outlook"), [(2, "evacuates"), (4, "held")])
def test_hosts_that_are_planned_together_are_counted_for_a_storm(
    together: int, outlook: str, postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    names = [f"compute{number}" for number in range(1, 11)]
    body = {"plan": {"hosts": names[:together]}}
    call = {"function": "api-hosts", "method": "POST", "path": "/v1/x-instance-ha/plans", "body": body}
    world: dict[str, Any] = {
        "segments": {"one": {"hosts": names}},
        "hosts": {name: {"instances": [{"count": 1, "prefix": name}]} for name in names},
        "lasts": 40,
        "happenings": [{"at": 30, "api": call}],
    }
    played = Play(Scenario(tmp_path, world), stage, postgres, tmp_path)
    played.run()
    (answer,) = played.callers.answers
    assert {plan["outlook"] for plan in answer["plans"]} == {outlook}
    held = [step["text"] for plan in answer["plans"] for step in plan["before"] if step["task"] == "the gates"]
    assert all("storm_segment: 4 of 10 hosts of its segment have failed at once" in text for text in held)
    assert len(held) == (together if outlook == "held" else 0)


def test_a_storm_that_holds_a_recovery_that_has_begun_is_in_its_plan(postgres: Postgres, stage: Stage) -> None:
    plan = plan_at("storm-held-then-approved", 150, "compute1", postgres, stage)
    held = [step["text"] for step in plan["before"] if step["holds"]]
    assert plan["outlook"] == "held"
    assert any("storm_segment" in text for text in held), held


@pytest.mark.parametrize(("host", "outlook"), [("compute3", "held"), ("compute4", "evacuates")])
def test_what_an_operator_has_approved_holds_no_plan(host: str, outlook: str, postgres: Postgres, stage: Stage) -> None:
    assert plan_at("storm-held-then-approved", 200, host, postgres, stage)["outlook"] == outlook


def test_no_gate_is_in_the_plan_of_what_has_begun_to_evacuate(postgres: Postgres, stage: Stage) -> None:
    plan = plan_at("pause-stops-no-second-attempt", 70, "compute1", postgres, stage)
    assert not any(step["holds"] for step in plan["before"]), plan
