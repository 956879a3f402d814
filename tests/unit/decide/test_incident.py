"""The arithmetic of an outage: nothing is guessed, and no outage is told shorter than what is known of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.explanation import Rows
from instance_ha.decide.incident import account, percentile
from instance_ha.decide.incident_page import markdown
from instance_ha.decide.outcome import LeftOut
from instance_ha.decide.service import ServiceBefore
from instance_ha.models.enums import NotificationStatus, VMoveStatus
from instance_ha.models.evidence import Evidence, EvidenceKind, Verdict
from instance_ha.models.incident import Ended, InstanceOutage
from instance_ha.models.rows import InstanceFacts, VMove
from instance_ha.models.uuids import HostUuid

from tests.unit.build import NOW, host, notification, segment, vmove


def later(seconds: float) -> Any:
    """Return a time after the report."""
    return NOW + timedelta(seconds=seconds)


DIED = ServiceBefore("service", disabled=False, forced_down=False, updated_at=later(-60))
MOVED = {
    "status": VMoveStatus.SUCCEEDED,
    "created_at": later(10),
    "asked_at": later(11),
    "moved_at": later(15),
    "end_time": later(16),
    "dest_host": "compute2",
}


def rows(*moves: VMove, **about: Any) -> Rows:
    """What was written down of a recovery."""
    values = {
        "notification": notification(status=NotificationStatus.FINISHED, updated_at=later(20), proven_at=later(9)),
        "host": host(),
        "segment": segment(),
        "policy": None,
        "evidence": (),
        "fences": (),
        "tasks": (),
        "moves": moves,
        "left_out": LeftOut(),
        "service": DIED,
        "decisions": (),
        "approvals": (),
    }
    return Rows(**(values | about))


def seen(seconds: float, verdict: Verdict) -> Evidence:
    """A source that has seen the host."""
    about = {"kind": EvidenceKind.LIBVIRT, "source": "monitor-guests", "valid_until": later(3600)}
    return Evidence(host_uuid=HostUuid("host"), verdict=verdict, seen_at=later(seconds), **about)


def only(*moves: VMove, **about: Any) -> InstanceOutage:
    """Account for one instance."""
    (one,) = account(rows(*moves, **about)).instances
    return one


def test_an_outage_begins_with_its_host_s_last_sign_of_life_and_ends_with_its_own_first() -> None:
    assert (only(vmove(**MOVED)).ended, only(vmove(**MOVED)).outage) == (Ended.ACTIVE, 75)


def test_the_answer_of_a_guest_agent_counts_for_more_than_nova_s_active() -> None:
    with_agent = only(vmove(**MOVED, agent_at=later(40)))
    assert (with_agent.ended, with_agent.outage) == (Ended.AGENT, 100)


def test_the_newest_sign_of_life_before_the_proof_of_death_counts() -> None:
    evidence = seen(-30, Verdict.ALIVE), seen(5, Verdict.DEAD), seen(15, Verdict.ALIVE)
    assert only(vmove(**MOVED), evidence=evidence).outage == 45


@pytest.mark.parametrize("changed", [{"disabled": True}, {"forced_down": True}, {"updated_at": None}])
def test_without_a_sign_of_life_no_outage_is_told(changed: dict[str, Any]) -> None:
    one = only(vmove(**MOVED), service=replace(DIED, **changed))
    assert (one.ended, one.outage) == (Ended.NOT_KNOWN, None)


@pytest.mark.parametrize(
    ("about", "ended"),
    [
        ({"facts": InstanceFacts(vm_state="stopped", power_state=4)}, Ended.DID_NOT_RUN),
        ({"facts": InstanceFacts(vm_state="paused", power_state=3)}, Ended.DID_NOT_RUN),
        ({"facts": InstanceFacts(task_state="powering-off")}, Ended.DID_NOT_RUN),
        ({"facts": InstanceFacts(vm_state="error")}, Ended.NOT_KNOWN),
        ({"facts": InstanceFacts(vm_state="rescued")}, Ended.LASTS),
        ({"status": VMoveStatus.FAILED, "message": "No valid host"}, Ended.LASTS),
        ({"status": VMoveStatus.ONGOING}, Ended.LASTS),
        ({"status": VMoveStatus.IGNORED, "message": "the instance was deleted"}, Ended.NOT_KNOWN),
    ],
)
def test_what_is_not_back_or_never_ran_has_no_number(about: dict[str, Any], ended: Ended) -> None:
    one = only(vmove(**(MOVED | about)))
    assert (one.ended, one.outage) == (ended, None)


def test_an_instance_that_was_stopped_by_us_is_back_when_it_was_started_again() -> None:
    facts = InstanceFacts(stopped_by_us=True)
    assert only(vmove(**MOVED, facts=facts)).outage == 76
    failed = only(vmove(**MOVED, facts=facts, message="evacuated, but it was not active again in time"))
    assert failed.ended is Ended.NOT_KNOWN


def test_each_try_that_failed_is_named_also_where_a_later_one_has_worked() -> None:
    refused = vmove(id=1, status=VMoveStatus.FAILED, message="Nova refused", failed_host="compute3")
    found = account(rows(refused, vmove(id=2, **MOVED)))
    assert [(one.reason, one.host) for one in found.failures] == [("Nova refused", "compute3")]
    assert (found.totals.instances, found.totals.over) == (1, 1)
    assert found.instances[0].planned_at == refused.created_at


def test_each_instance_stands_in_one_number() -> None:
    moves = [
        vmove(id=1, instance_uuid="1", **MOVED),
        vmove(id=2, instance_uuid="2", status=VMoveStatus.FAILED),
        vmove(id=3, instance_uuid="3", **(MOVED | {"facts": InstanceFacts(vm_state="stopped")})),
        vmove(id=4, instance_uuid="4", status=VMoveStatus.IGNORED),
    ]
    totals = account(rows(*moves, left_out=LeftOut(2, ("vm-5: opted out",)))).totals
    assert (totals.over, totals.lasting, totals.did_not_run, totals.not_known, totals.left_out) == (1, 1, 1, 1, 2)
    assert (totals.instances, totals.outage) == (4, 75)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_is_one_of_the_values_and_as_many_do_not_exceed_it(values: list[float], share: float) -> None:
    values.sort()
    found = percentile(values, share)
    assert found in values
    assert sum(one <= found for one in values) >= share * len(values) - 1e-9
    assert sum(one < found for one in values) < share * len(values) + 1e-9


def test_a_page_keeps_what_others_say_in_its_place() -> None:
    wild = account(rows(vmove(**(MOVED | {"status": VMoveStatus.FAILED, "message": "a | b\n# c"}))))
    assert "a \\| b # c" in markdown(wild)
    unknown = markdown(account(rows(vmove(**MOVED), service=None)))
    assert "| last sign of life | not known |" in unknown
    assert "| not known |\n" in unknown
