import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.instances import (
    InstancePolicy,
    choose,
    facts,
    facts_again,
    facts_away,
    first_facts,
    ha_enabled,
    priority,
    unsettled_elsewhere,
)
from instance_ha.models.cloud import Server
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import InstanceFacts

from tests.unit.build import NOW, server, vmove

SERVERS = st.lists(
    st.builds(
        server,
        id=st.uuids().map(str),
        vm_state=st.sampled_from(["active", "stopped", "error", "paused"]),
        metadata=st.sampled_from([{}, {"HA_Enabled": "True"}, {"HA_Enabled": "no"}, {"other": "True"}]),
    ),
    unique_by=lambda one: one.id,
)
POLICIES = st.builds(InstancePolicy, evacuate_all=st.booleans(), ignore_error_state=st.booleans())


@pytest.mark.parametrize("word", ["1", "t", "true", "on", "y", "yes", "True", "YES", " true "])
def test_a_true_word_enables_high_availability(word: str) -> None:
    assert ha_enabled(server(metadata={"HA_Enabled": word}), InstancePolicy())


@pytest.mark.parametrize("word", ["", "0", "false", "no", "enabled", "truee"])
def test_any_other_word_does_not_enable_high_availability(word: str) -> None:
    assert not ha_enabled(server(metadata={"HA_Enabled": word}), InstancePolicy())


def test_without_the_metadata_key_high_availability_is_not_enabled() -> None:
    assert not ha_enabled(server(), InstancePolicy())


def test_the_metadata_key_is_the_operators_choice() -> None:
    policy = InstancePolicy(metadata_key="Rescue_Me")
    assert ha_enabled(server(metadata={"Rescue_Me": "true"}), policy)
    assert not ha_enabled(server(metadata={"HA_Enabled": "true"}), policy)


def test_instances_without_the_key_are_left_out_when_not_all_are_to_be_evacuated() -> None:
    choice = choose([server()], InstancePolicy(evacuate_all=False))
    assert choice.chosen == ()
    assert [(server(), "no metadata HA_Enabled")] == list(choice.left_out)


def test_an_instance_in_error_is_evacuated_unless_such_are_to_be_ignored() -> None:
    broken = server(vm_state="error", metadata={"HA_Enabled": "true"})
    assert (broken,) == choose([broken], InstancePolicy()).chosen
    assert choose([broken], InstancePolicy(ignore_error_state=True)).chosen == ()


@given(SERVERS, POLICIES)
def test_every_instance_is_either_chosen_or_left_out_and_none_is_both(
    servers: list[Server], policy: InstancePolicy
) -> None:
    choice = choose(servers, policy)
    seen = [one.id for one in choice.chosen] + [one.id for one, _ in choice.left_out]
    assert sorted(one.id for one in servers) == sorted(seen)


@given(SERVERS, POLICIES)
def test_no_instance_without_high_availability_comes_before_one_with_it(
    servers: list[Server], policy: InstancePolicy
) -> None:
    wanted = [ha_enabled(one, policy) for one in choose(servers, policy).chosen]
    assert sorted(wanted, reverse=True) == wanted


@given(SERVERS, POLICIES)
def test_instances_of_the_same_wish_keep_the_order_of_nova(servers: list[Server], policy: InstancePolicy) -> None:
    place = {one.id: number for number, one in enumerate(servers)}
    for enabled in (True, False):
        places = [place[one.id] for one in choose(servers, policy).chosen if ha_enabled(one, policy) is enabled]
        assert sorted(places) == places


def test_the_facts_keep_all_that_gives_an_instance_its_state_back() -> None:
    seen = server(vm_state="paused", task_state="pausing", power_state=3, locked=True, metadata={"HA_Enabled": "1"})
    expected = InstanceFacts(vm_state="paused", task_state="pausing", power_state=3, locked=True, ha_enabled=True)
    assert expected == facts(seen, InstancePolicy())


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("-3", -3), (" +2 ", 2), ("", 0), ("high", 0), ("1e3", 0), ("9" * 40, 0), ("٣", 0)]
)
def test_a_priority_is_a_whole_number_and_anything_else_is_0(text: str, number: int) -> None:
    assert number == priority(server(metadata={"HA_Priority": text}), InstancePolicy())


def test_a_higher_priority_goes_first_and_then_ha_enabled() -> None:
    plain, ha = server(id="plain"), server(id="ha", metadata={"HA_Enabled": "True"})
    low = server(id="low", metadata={"HA_Priority": "-1", "HA_Enabled": "True"})
    high = server(id="high", metadata={"HA_Priority": "5"})
    assert [one.id for one in choose([plain, low, ha, high], InstancePolicy()).chosen] == ["high", "ha", "plain", "low"]


def test_an_instance_that_opted_out_is_left_where_it_is() -> None:
    out = server(metadata={"HA_Never": "yes", "HA_Enabled": "True"})
    assert choose([out], InstancePolicy(opt_out_key="HA_Never")).chosen == ()
    assert choose([out], InstancePolicy()).chosen == (out,)


def test_an_instance_that_our_first_try_left_in_error_is_not_left_out() -> None:
    broken = server(vm_state="error")
    assert choose([broken], InstancePolicy(ignore_error_state=True), {broken.id}).chosen == (broken,)


def test_a_second_try_knows_what_the_instance_was_at_the_first() -> None:
    before = InstanceFacts(vm_state="stopped", power_state=4)
    again = facts(server(vm_state="error", locked=True, locked_reason="mine"), InstancePolicy(), before)
    assert again == InstanceFacts(vm_state="stopped", power_state=4, locked=True, left_in_error=True)


def test_a_lock_that_a_recovery_left_behind_is_not_an_owners() -> None:
    left = server(locked=True, locked_reason="masakari: notification 42")
    assert not facts(left, InstancePolicy()).locked
    assert facts(server(locked=True), InstancePolicy()).locked


def test_a_failed_round_has_left_in_error_an_instance_for_all_rounds_after_it() -> None:
    failed = vmove(status=VMoveStatus.FAILED, facts=InstanceFacts(vm_state="stopped"))
    left_in_error = InstanceFacts(vm_state="stopped", left_in_error=True)
    assert left_in_error == facts_again(failed)
    assert left_in_error == facts_again(vmove(status=VMoveStatus.IGNORED, facts=left_in_error))


def test_an_instance_that_had_no_turn_is_for_another_round_what_it_was() -> None:
    assert InstanceFacts() == facts_again(vmove(status=VMoveStatus.IGNORED))


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"task_state": "deleting"}, "its owner is deleting it"),
        ({"task_state": "soft-deleting"}, "its owner is deleting it"),
        ({"vm_state": "building", "task_state": "spawning"}, "it was still being built"),
    ],
)
def test_what_is_being_deleted_or_built_is_left_where_it_is_also_when_it_was_tried_before(
    about: dict[str, str], reason: str
) -> None:
    one = server(metadata={"HA_Enabled": "true"}, **about)
    assert choose([one], InstancePolicy(), {one.id}).left_out == ((one, reason),)


@pytest.mark.parametrize(
    ("notification", "vm_state", "remembered"),
    [("this", "active", True), ("earlier", "error", True), ("earlier", "active", False)],
)
def test_what_our_own_tries_have_left_is_not_taken_for_what_the_instance_was(
    notification: str, vm_state: str, remembered: bool
) -> None:
    paused = vmove(notification_uuid=notification, facts=InstanceFacts(vm_state="paused"))
    found = first_facts([server(vm_state=vm_state)], {"instance": paused}, "this")
    assert found == ({"instance": paused.facts} if remembered else {})


def test_what_we_failed_on_or_lost_sight_of_is_checked_although_it_has_left_the_host() -> None:
    gone, here = vmove(instance_uuid="gone", status=VMoveStatus.FAILED), vmove(status=VMoveStatus.FAILED)
    lost = vmove(instance_uuid="lost", status=VMoveStatus.IGNORED, asked_at=NOW)
    runs_elsewhere = vmove(instance_uuid="moved", status=VMoveStatus.IGNORED, asked_at=None)
    assert unsettled_elsewhere([gone, here, lost, runs_elsewhere], [server()]) == [gone, lost]


def test_what_has_left_the_host_is_checked_before_anything_is_asked_for_it() -> None:
    assert facts_away(vmove(facts=InstanceFacts(vm_state="paused"))).left_in_error
