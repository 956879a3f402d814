from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.evacuation import (
    UNCLAIMED_AFTER,
    Age,
    Ask,
    DestState,
    End,
    Finding,
    Moved,
    Perhaps,
    Preparation,
    Wait,
    age,
    check,
    dest_state,
    is_at_work,
    is_unrecorded,
    prepare,
    reason_failed_since,
)
from instance_ha.decide.watch import Watch, watch
from instance_ha.models.cloud import CLOCKS_APART, Migration, Server
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import InstanceFacts, VMove

from tests.unit.build import NOW, migration, server, vmove

FRESH = Age(may_ask_again=False, give_up=False)
OLD = Age(may_ask_again=True, give_up=False)
TOO_OLD = Age(may_ask_again=True, give_up=True)

STATES = st.sampled_from(["active", "stopped", "error", "paused", "suspended", "resized", "rescued", "building"])
TASKS = st.sampled_from([None, "rebuilding", "rebuild_spawning", "powering-off"])
MIGRATION_STATES = ["accepted", "pre-migrating", "migrating", "done", "completed", "error", "failed", "cancelled"]
MIGRATIONS = st.sampled_from(MIGRATION_STATES).map(migration)
AGES = st.builds(Age, st.booleans(), st.booleans())
SERVERS = st.builds(server, host=st.sampled_from(["compute1", "compute2", None]), vm_state=STATES, task_state=TASKS)
FACTS = st.builds(InstanceFacts, vm_state=STATES, task_state=TASKS, power_state=st.sampled_from([0, 1, 3, 4]))
MOVES = st.builds(vmove, facts=FACTS, asked_at=st.sampled_from([None, NOW]))


@pytest.mark.parametrize("state", ["active", "stopped", "error"])
def test_an_instance_that_nova_evacuates_as_it_is_is_not_reset(state: str) -> None:
    assert Preparation(reset_to_error=False) == prepare(InstanceFacts(vm_state=state))


@pytest.mark.parametrize("state", ["paused", "suspended", "rescued", "resized", "building", "shelved"])
def test_an_instance_in_any_other_state_is_reset_to_error_first(state: str) -> None:
    assert Preparation(reset_to_error=True) == prepare(InstanceFacts(vm_state=state))


@pytest.mark.parametrize("state", ["active", "stopped", "error"])
def test_an_instance_with_a_task_under_way_is_reset_to_error_first(state: str) -> None:
    assert Preparation(reset_to_error=True) == prepare(InstanceFacts(vm_state=state, task_state="rebooting"))


def test_a_request_may_be_sent_again_only_when_the_first_one_cannot_be_carried_out_any_more() -> None:
    early = NOW + timedelta(seconds=120, microseconds=-1)
    assert Age(may_ask_again=False, give_up=False) == age(vmove(), early, 120, 3600)
    assert Age(may_ask_again=True, give_up=False) == age(vmove(), NOW + timedelta(seconds=120), 120, 3600)


def test_a_request_of_which_nova_shows_nothing_is_waited_for_and_then_sent_again() -> None:
    assert check(vmove(), server(), None, FRESH) == Wait(unrecorded=True)
    assert check(vmove(), server(), None, OLD) == Ask()


@pytest.mark.parametrize("task_state", ["rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"])
def test_an_evacuation_that_nova_has_accepted_is_not_asked_for_again_though_there_is_no_record_yet(
    task_state: str,
) -> None:
    seen = server(task_state=task_state)
    assert check(vmove(), seen, None, OLD) == Wait()
    assert check(vmove(), seen, None, replace(OLD, unclaimed=True)) == Ask()


def test_another_task_of_the_instance_is_no_sign_of_its_evacuation() -> None:
    assert check(vmove(), server(task_state="powering-off"), None, OLD) == Ask()


def test_a_request_is_given_up_after_the_limit_and_not_at_it() -> None:
    assert not age(vmove(), NOW + timedelta(seconds=3600), 120, 3600).give_up
    assert age(vmove(), NOW + timedelta(seconds=3601), 120, 3600).give_up


def test_a_request_that_was_never_sent_has_no_age() -> None:
    assert Age(may_ask_again=False, give_up=False) == age(vmove(asked_at=None), NOW + timedelta(days=1), 120, 3600)


def test_an_instance_that_was_deleted_needs_no_evacuation() -> None:
    assert End(VMoveStatus.IGNORED, "the instance was deleted") == check(vmove(), None, None, FRESH)


def test_an_instance_at_rest_on_another_host_has_moved() -> None:
    assert Moved("compute2") == check(vmove(), server(host="compute2"), migration("done"), FRESH)


def test_an_instance_that_is_elsewhere_before_anything_was_asked_is_left_alone() -> None:
    verdict = check(vmove(asked_at=None), server(host="compute2"), None, FRESH)
    assert End(VMoveStatus.IGNORED, "the instance runs on compute2 already") == verdict


def test_an_instance_that_is_elsewhere_in_error_is_not_called_running() -> None:
    verdict = check(vmove(asked_at=None), server(host="compute2", vm_state="error", fault="No disk"), None, FRESH)
    assert End(VMoveStatus.FAILED, "it is on compute2 in error: No disk", "compute2") == verdict


def test_a_given_up_evacuation_says_where_nova_was_taking_it() -> None:
    verdict = check(vmove(), server(), migration("pre-migrating", dest_host="compute2"), TOO_OLD)
    assert End(VMoveStatus.FAILED, "Nova did not finish the evacuation in time", "compute2") == verdict


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "migrating"])
def test_nova_is_at_work_on_an_evacuation_whose_target_is_unknown_yet_or_up(status: str) -> None:
    assert is_at_work(migration(status), DestState.UP, NOW)
    assert is_at_work(migration(status, dest_host="compute2"), DestState.UP, NOW)


def test_nova_is_not_at_work_on_an_evacuation_that_has_had_no_target_for_long_whatever_its_clock_says() -> None:
    for_long = timedelta(seconds=UNCLAIMED_AFTER) + CLOCKS_APART
    assert is_at_work(migration("accepted", created_at=NOW - for_long), DestState.UP, NOW)
    assert not is_at_work(migration("accepted", created_at=NOW - for_long - timedelta(seconds=1)), DestState.UP, NOW)


def test_what_was_to_happen_on_a_dead_host_is_over_and_what_was_on_one_that_is_down_may_have_happened() -> None:
    record = migration("pre-migrating", dest_host="compute2")
    assert not is_at_work(record, DestState.DEAD, NOW)
    assert is_at_work(record, DestState.DOWN, NOW)


def test_a_destination_that_nova_calls_down_is_dead_only_when_it_was_proven_dead_since() -> None:
    record = migration("pre-migrating", dest_host="compute2", created_at=NOW)
    before = NOW - CLOCKS_APART - timedelta(seconds=1)
    assert dest_state(record, ["compute2"], {}) is DestState.DOWN
    assert dest_state(record, ["compute2"], {"compute2": before}) is DestState.DOWN
    assert dest_state(record, ["compute2"], {"compute2": NOW}) is DestState.DEAD
    assert dest_state(record, ["compute3"], {"compute2": NOW}) is DestState.UP
    of_unknown_age = migration("pre-migrating", dest_host="compute2", created_at=None)
    assert dest_state(of_unknown_age, ["compute2"], {"compute2": NOW}) is DestState.DOWN


@pytest.mark.parametrize("status", ["done", "completed", "error", "failed", "cancelled"])
def test_nova_is_not_at_work_on_an_evacuation_that_has_ended(status: str) -> None:
    assert not is_at_work(migration(status), DestState.UP, NOW)


def test_an_instance_on_another_host_with_a_task_under_way_is_still_settling() -> None:
    seen = server(host="compute2", task_state="rebuild_spawning")
    assert Wait(settling=True) == check(vmove(), seen, migration("done"), FRESH)


def test_an_instance_in_error_elsewhere_after_its_migration_ended_has_failed() -> None:
    seen = server(host="compute2", vm_state="error", fault="No valid disk")
    verdict = check(vmove(), seen, migration("error"), FRESH)
    assert isinstance(verdict, End)
    assert verdict.status == VMoveStatus.FAILED
    assert "No valid disk" in verdict.message


def test_an_instance_in_error_elsewhere_while_its_migration_runs_may_yet_recover() -> None:
    record = migration("migrating", dest_host="compute2")
    assert Wait(settling=True) == check(vmove(), server(host="compute2", vm_state="error"), record, OLD)


def test_an_instance_that_never_comes_to_rest_elsewhere_is_given_up() -> None:
    verdict = check(vmove(), server(host="compute2", task_state="rebuilding"), migration("migrating"), TOO_OLD)
    assert isinstance(verdict, End)
    assert verdict.status == VMoveStatus.FAILED


@pytest.mark.parametrize("status", ["error", "failed", "cancelled"])
def test_a_failed_migration_fails_the_vmove_with_novas_reason(status: str) -> None:
    verdict = check(vmove(), server(fault="No valid host was found."), migration(status), FRESH)
    assert End(VMoveStatus.FAILED, "Nova could not evacuate it: No valid host was found.") == verdict


def test_a_failed_migration_without_a_reason_names_its_status() -> None:
    verdict = check(vmove(), server(), migration("cancelled"), FRESH)
    assert End(VMoveStatus.FAILED, "Nova could not evacuate it: migration cancelled") == verdict


def test_a_request_of_which_nova_knows_nothing_is_sent_again_once_it_is_old() -> None:
    assert Ask() == check(vmove(), server(), None, OLD)


def test_a_request_that_is_too_old_is_given_up() -> None:
    verdict = check(vmove(), server(), migration("accepted"), TOO_OLD)
    assert End(VMoveStatus.FAILED, "Nova did not finish the evacuation in time") == verdict


def test_an_instance_whose_host_nova_does_not_tell_has_not_moved() -> None:
    assert Wait() == check(vmove(), server(host=None), migration("accepted"), FRESH)


@given(MOVES, st.none() | SERVERS, MIGRATIONS, AGES)
def test_nothing_is_asked_again_once_nova_has_a_record_of_it(
    move: VMove, seen: Server | None, record: Migration, how_old: Age
) -> None:
    assert not isinstance(check(move, seen, record, how_old), Ask)


@given(MOVES, st.none() | SERVERS, st.none() | MIGRATIONS, st.booleans())
def test_nothing_is_asked_again_before_it_is_old_enough(
    move: VMove, seen: Server | None, record: Migration | None, give_up: bool
) -> None:
    assert not isinstance(check(move, seen, record, Age(False, give_up)), Ask)


@given(MOVES, SERVERS, st.none() | MIGRATIONS, AGES)
def test_only_an_instance_on_another_host_has_moved(
    move: VMove, seen: Server, record: Migration | None, how_old: Age
) -> None:
    verdict = check(move, seen, record, how_old)
    if isinstance(verdict, Moved):
        assert seen.host == verdict.dest_host != move.source_host


@given(MOVES, st.none() | SERVERS, st.none() | MIGRATIONS)
def test_every_evacuation_ends_in_the_end(move: VMove, seen: Server | None, record: Migration | None) -> None:
    found = check(move, seen, record, TOO_OLD)
    assert isinstance(found, End | Moved | Perhaps)  # Perhaps ends when it is seen again


def test_a_record_that_a_host_has_completed_as_it_came_back_does_not_say_that_the_instance_has_moved() -> None:
    record = migration("completed", dest_host="compute2")
    assert watch([vmove()], {"instance": record}, NOW + timedelta(seconds=11), 90) == Watch((), (vmove(),))
    verdict = check(vmove(), server(task_state="rebuilding"), record, FRESH, DestState.DOWN)
    assert isinstance(verdict, End)
    assert verdict.status is VMoveStatus.FAILED
    assert Perhaps(verdict) == check(vmove(), server(), record, FRESH)
    assert Wait() == check(vmove(), server(task_state="rebuilding"), record, FRESH)
    assert Moved("compute2") == check(vmove(), server(host="compute2"), record, FRESH)


def test_an_evacuation_whose_destination_is_dead_is_asked_for_again_and_its_record_forgotten() -> None:
    record = migration("pre-migrating", id=7, dest_host="compute2")
    assert Ask(7) == check(vmove(), server(task_state="rebuilding"), record, FRESH, DestState.DEAD)
    assert Wait() == check(vmove(), server(task_state="rebuilding"), record, OLD, DestState.UP)


@pytest.mark.parametrize("target_host", [None, "compute2"])
def test_an_evacuation_whose_destination_is_only_down_is_not_asked_for_again_and_says_why(
    target_host: str | None,
) -> None:
    record, move = migration("pre-migrating", id=7, dest_host="compute2"), vmove(target_host=target_host)
    verdict = check(move, server(task_state="rebuilding"), record, OLD, DestState.DOWN)
    assert isinstance(verdict, Wait)
    assert verdict.reason == (
        "Nova calls its destination compute2 down, and it may run there: report compute2 if it has failed, too"
    )
    given_up = End(VMoveStatus.FAILED, verdict.reason, "compute2")
    assert given_up == check(move, server(task_state="rebuilding"), record, TOO_OLD, DestState.DOWN)


def test_an_evacuation_to_a_reserved_host_that_went_down_has_failed_there() -> None:
    record = migration("pre-migrating", dest_host="spare")
    verdict = check(vmove(target_host="spare"), server(task_state="rebuilding"), record, FRESH, DestState.DEAD)
    assert isinstance(verdict, End)
    assert (verdict.status, verdict.dest_host) == (VMoveStatus.FAILED, "spare")


def test_an_instance_that_is_with_a_destination_that_went_down_is_left_to_that_hosts_recovery() -> None:
    record = migration("pre-migrating", dest_host="compute2")
    seen = server(host="compute2", task_state="rebuilding")
    verdict = check(vmove(), seen, record, FRESH, DestState.DEAD)
    assert isinstance(verdict, End)
    assert (verdict.status, verdict.dest_host) == (VMoveStatus.FAILED, "compute2")


@pytest.mark.parametrize(("seconds", "verdict"), [(UNCLAIMED_AFTER, Wait()), (UNCLAIMED_AFTER + 1, Ask(7))])
def test_a_record_that_stays_without_a_destination_has_lost_its_conductor(seconds: float, verdict: Finding) -> None:
    how_old = age(vmove(), NOW + timedelta(seconds=seconds), 120, 3600)
    assert verdict == check(vmove(), server(task_state="rebuilding"), migration("accepted", id=7), how_old)


def test_a_request_may_be_carried_out_late_until_its_limit_is_over_or_there_is_a_record_of_it() -> None:
    asked, late = vmove(asked_at=NOW, last_migration_id=7), NOW + timedelta(seconds=119)
    assert is_unrecorded(asked, None, late, 120)
    assert is_unrecorded(asked, migration("failed", id=7), late, 120)
    assert not is_unrecorded(asked, migration("accepted", id=8), late, 120)
    assert not is_unrecorded(asked, None, NOW + timedelta(seconds=120), 120)
    assert not is_unrecorded(vmove(asked_at=None), None, late, 120)


def test_an_instance_in_error_elsewhere_does_not_wait_for_a_record_that_gets_no_destination() -> None:
    wrecked, second = server(host="compute2", vm_state="error", task_state="rebuilding"), migration("accepted")
    assert check(vmove(), wrecked, second, FRESH) == Wait(settling=True)
    verdict = check(vmove(), wrecked, second, OLD)
    assert isinstance(verdict, End)
    assert (verdict.status, verdict.dest_host) == (VMoveStatus.FAILED, "compute2")


def test_an_instance_in_error_elsewhere_is_left_to_an_evacuation_that_has_a_destination() -> None:
    wrecked, second = server(host="compute2", vm_state="error"), migration("pre-migrating", dest_host="compute3")
    assert check(vmove(), wrecked, second, OLD) == Wait(settling=True)


def test_an_instance_that_was_recovered_is_well_on_any_host_but_the_failed_one() -> None:
    move = vmove(source_host="compute1")
    assert reason_failed_since(move, server(host="compute2", vm_state="active")) is None
    assert reason_failed_since(move, server(host="compute1", vm_state="active")) is not None


def test_an_instance_in_error_is_well_only_if_it_was_in_error_before() -> None:
    was_well = vmove(source_host="compute1")
    was_in_error = replace(was_well, facts=replace(was_well.facts, vm_state="error"))
    seen = server(host="compute2", vm_state="error")
    assert reason_failed_since(was_well, seen) is not None
    assert reason_failed_since(was_in_error, seen) is None
