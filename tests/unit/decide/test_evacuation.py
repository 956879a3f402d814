from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.evacuation import (
    CHECK_UNRECORDED_AFTER,
    UNCLAIMED_AFTER,
    Age,
    Ask,
    End,
    Finding,
    Moved,
    Perhaps,
    Preparation,
    Wait,
    Watch,
    age,
    check,
    is_at_work,
    is_unrecorded,
    prepare,
    reason_failed_since,
    restore,
    watch,
)
from instance_ha.models.cloud import CLOCKS_APART, Migration, Server
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import InstanceFacts, VMove

from tests.unit.build import NOW, migration, server, service, vmove

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


@pytest.mark.parametrize(
    ("facts", "actions"),
    [
        (InstanceFacts(vm_state="active"), ()),
        (InstanceFacts(vm_state="active", task_state="rebooting"), ()),
        (InstanceFacts(vm_state="stopped", power_state=4), ()),
        (InstanceFacts(vm_state="stopped", task_state="powering-on", power_state=4), ()),
        (InstanceFacts(vm_state="active", task_state="powering-off"), ("stop",)),
        (InstanceFacts(vm_state="active", task_state="pausing"), ("pause",)),
        (InstanceFacts(vm_state="resized", power_state=1), ()),
        (InstanceFacts(vm_state="resized", power_state=4), ("stop",)),
        (InstanceFacts(vm_state="paused", power_state=3), ("pause",)),
        (InstanceFacts(vm_state="suspended", power_state=4), ("suspend",)),
        (InstanceFacts(vm_state="error"), ("stop", "reset_error")),
        (InstanceFacts(vm_state="rescued"), ("stop",)),
    ],
    ids=lambda value: f"{value.vm_state}-{value.task_state}" if isinstance(value, InstanceFacts) else None,
)
def test_an_evacuated_instance_gets_the_state_that_it_had_or_that_its_owner_had_asked_for(
    facts: InstanceFacts, actions: tuple[str, ...]
) -> None:
    assert actions == restore(facts).actions


@pytest.mark.parametrize("state", ["suspended", "resized", "rescued", "building"])
def test_what_cannot_be_given_back_is_said(state: str) -> None:
    assert "was " in (restore(InstanceFacts(vm_state=state)).message or "")


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
    assert is_at_work(migration(status), None, NOW)
    assert is_at_work(migration(status, dest_host="compute2"), service(host="compute2", up=True), NOW)


def test_nova_is_not_at_work_on_an_evacuation_that_has_had_no_target_for_long_whatever_its_clock_says() -> None:
    for_long = timedelta(seconds=UNCLAIMED_AFTER) + CLOCKS_APART
    assert is_at_work(migration("accepted", created_at=NOW - for_long), None, NOW)
    assert not is_at_work(migration("accepted", created_at=NOW - for_long - timedelta(seconds=1)), None, NOW)


def test_nova_is_not_at_work_on_what_was_to_happen_on_a_host_that_is_down_or_unknown() -> None:
    record = migration("pre-migrating", dest_host="compute2")
    assert not is_at_work(record, service(host="compute2", up=False), NOW)
    assert not is_at_work(record, None, NOW)


@pytest.mark.parametrize("status", ["done", "completed", "error", "failed", "cancelled"])
def test_nova_is_not_at_work_on_an_evacuation_that_has_ended(status: str) -> None:
    assert not is_at_work(migration(status), None, NOW)


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


@pytest.mark.parametrize("status", ["error", "failed", "cancelled"])
def test_a_watched_evacuation_that_failed_is_settled_without_a_destination(status: str) -> None:
    assert watch([vmove()], {"instance": migration(status)}, NOW, 90) == Watch(((vmove(), None),), ())


def test_a_watched_evacuation_that_nova_has_done_is_settled_with_where_it_went() -> None:
    records = {"instance": migration("done", dest_host="compute2")}
    assert watch([vmove()], records, NOW, 90) == Watch(((vmove(), "compute2"),), ())


def test_a_record_that_a_host_has_completed_as_it_came_back_does_not_say_that_the_instance_has_moved() -> None:
    record = migration("completed", dest_host="compute2")
    assert watch([vmove()], {"instance": record}, NOW + timedelta(seconds=11), 90) == Watch((), (vmove(),))
    verdict = check(vmove(), server(task_state="rebuilding"), record, FRESH, dest_down=True)
    assert isinstance(verdict, End)
    assert verdict.status is VMoveStatus.FAILED
    assert Perhaps(verdict) == check(vmove(), server(), record, FRESH)
    assert Wait() == check(vmove(), server(task_state="rebuilding"), record, FRESH)
    assert Moved("compute2") == check(vmove(), server(host="compute2"), record, FRESH)


def test_an_evacuation_whose_destination_went_down_is_asked_for_again_and_its_record_forgotten() -> None:
    record = migration("pre-migrating", id=7, dest_host="compute2")
    assert Ask(7) == check(vmove(), server(task_state="rebuilding"), record, FRESH, dest_down=True)
    assert Wait() == check(vmove(), server(task_state="rebuilding"), record, OLD, dest_down=False)


def test_an_evacuation_to_a_reserved_host_that_went_down_has_failed_there() -> None:
    record = migration("pre-migrating", dest_host="spare")
    verdict = check(vmove(target_host="spare"), server(task_state="rebuilding"), record, FRESH, dest_down=True)
    assert isinstance(verdict, End)
    assert (verdict.status, verdict.dest_host) == (VMoveStatus.FAILED, "spare")


def test_an_instance_that_is_with_a_destination_that_went_down_is_left_to_that_hosts_recovery() -> None:
    record = migration("pre-migrating", dest_host="compute2")
    seen = server(host="compute2", task_state="rebuilding")
    verdict = check(vmove(), seen, record, FRESH, dest_down=True)
    assert isinstance(verdict, End)
    assert (verdict.status, verdict.dest_host) == (VMoveStatus.FAILED, "compute2")


@pytest.mark.parametrize(("seconds", "verdict"), [(UNCLAIMED_AFTER, Wait()), (UNCLAIMED_AFTER + 1, Ask(7))])
def test_a_record_that_stays_without_a_destination_has_lost_its_conductor(seconds: float, verdict: Finding) -> None:
    how_old = age(vmove(), NOW + timedelta(seconds=seconds), 120, 3600)
    assert verdict == check(vmove(), server(task_state="rebuilding"), migration("accepted", id=7), how_old)


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "migrating"])
def test_a_watched_evacuation_that_nova_works_on_is_left_to_it(status: str) -> None:
    assert watch([vmove()], {"instance": migration(status)}, NOW + timedelta(seconds=90), 90) == Watch((), ())


def test_a_slow_evacuation_gets_a_look_of_its_own() -> None:
    late = NOW + timedelta(seconds=91)
    assert watch([vmove()], {"instance": migration("migrating")}, late, 90) == Watch((), (vmove(),))


def test_a_request_may_be_carried_out_late_until_its_limit_is_over_or_there_is_a_record_of_it() -> None:
    asked, late = vmove(asked_at=NOW, last_migration_id=7), NOW + timedelta(seconds=119)
    assert is_unrecorded(asked, None, late, 120)
    assert is_unrecorded(asked, migration("failed", id=7), late, 120)
    assert not is_unrecorded(asked, migration("accepted", id=8), late, 120)
    assert not is_unrecorded(asked, None, NOW + timedelta(seconds=120), 120)
    assert not is_unrecorded(vmove(asked_at=None), None, late, 120)


def test_an_evacuation_to_a_host_that_is_down_is_checked_soon() -> None:
    records, later = {"instance": migration("migrating", dest_host="compute2")}, NOW + timedelta(seconds=11)
    assert watch([vmove()], records, later, 90, {"compute2"}) == Watch((), (vmove(),))
    assert watch([vmove()], records, later, 90, {"compute3"}) == Watch((), ())


def test_an_evacuation_without_a_record_gets_a_look_of_its_own() -> None:
    at_the_limit = NOW + timedelta(seconds=CHECK_UNRECORDED_AFTER)
    assert watch([vmove()], {}, at_the_limit, 90) == Watch((), ())
    assert watch([vmove()], {}, at_the_limit + timedelta(seconds=1), 90) == Watch((), (vmove(),))


def test_the_patience_begins_anew_with_each_check() -> None:
    checked = replace(vmove(), updated_at=NOW + timedelta(seconds=80))
    assert watch([checked], {"instance": migration("migrating")}, NOW + timedelta(seconds=160), 90) == Watch((), ())


def test_only_the_evacuations_that_need_it_get_a_look() -> None:
    other = vmove(uuid="other", instance_uuid="other")
    records = {"instance": migration("done"), "other": migration("migrating", server_id="other")}
    assert watch([vmove(), other], records, NOW, 90) == Watch(((vmove(), None),), ())


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
