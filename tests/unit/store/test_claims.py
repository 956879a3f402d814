import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from instance_ha.models.enums import FINAL_NOTIFICATION, NotificationStatus, VMoveStatus, VMoveStep
from instance_ha.models.errors import AlreadyRunning, LeaseLost
from instance_ha.models.rows import Notification, VMove
from instance_ha.models.uuids import SegmentUuid
from instance_ha.store import batches, hosts, leases, notifications, outlook, rounds, vmoves
from instance_ha.store import schema as tables
from instance_ha.store.database import Database
from sqlalchemy import Connection, text, update
from sqlalchemy.exc import IntegrityError

from tests.unit.build import NOW, task
from tests.unit.store.conftest import Rows

LEASE = 45.0


def after(seconds: float) -> datetime:
    """The time so many seconds later."""
    return NOW + timedelta(seconds=seconds)


def settle(
    connection: Connection, notification: Notification, done: list[batches.Settled], locked: Sequence[str] = ()
) -> None:
    """Settle evacuations of a notification."""
    uuid = notification.notification_uuid
    batches.settle(connection, SegmentUuid("none"), uuid, done, locked, after(1))


def begin(connection: Connection, notification: Notification, slots: int) -> list[VMove]:
    """Begin the next vmoves of a notification, whatever task they are of."""
    return batches.start_next(connection, notification.notification_uuid, slots, None, NOW, task())


def claim(database: Database, row: Notification, owner: str = "a", now: datetime = NOW) -> Notification | None:
    """Claim a notification."""
    with database.begin() as connection:
        return notifications.claim(connection, row.notification_uuid, owner, now, LEASE)


def claimed(rows: Rows, owner: str = "a") -> tuple[Notification, leases.Lease]:
    """Have a claimed notification."""
    row = claim(rows.database, rows.notification(), owner)
    assert row is not None
    return row, notifications.lease(row, LEASE)


def change(rows: Rows, lease: leases.Lease, due_at: datetime | None, status: str) -> None:
    """Give a notification back in a status."""
    with rows.database.begin() as connection:
        lease.release(connection, due_at, status=status)


def test_a_claimed_row_names_its_owner_and_is_due_when_the_lease_ends(rows: Rows) -> None:
    row, _ = claimed(rows)
    assert ("a", after(LEASE), after(LEASE)) == (row.lease_owner, row.lease_until, row.due_at)


def test_a_claimed_row_is_not_claimed_again_before_its_lease_ends(rows: Rows) -> None:
    row, _ = claimed(rows)
    assert claim(rows.database, row, "b", after(LEASE - 0.001)) is None


def test_a_row_is_free_once_its_lease_has_run_out(rows: Rows) -> None:
    row, _ = claimed(rows)
    taken = claim(rows.database, row, "b", after(LEASE))
    assert taken is not None
    assert taken.lease_owner == "b"


def test_of_many_claims_at_the_same_time_one_wins(rows: Rows) -> None:
    row = rows.notification()
    together = threading.Barrier(4)

    def attempt(owner: str) -> Notification | None:
        together.wait()
        return claim(rows.database, row, owner)

    with ThreadPoolExecutor(4) as pool:
        winners = [won for won in pool.map(attempt, "abcd") if won is not None]
    assert len(winners) == 1


@pytest.mark.parametrize("what", ["renew", "write", "release"])
def test_an_owner_that_lost_its_lease_cannot_write(rows: Rows, what: str) -> None:
    row, lost = claimed(rows)
    claim(rows.database, row, "b", after(LEASE))
    with pytest.raises(LeaseLost), rows.database.begin() as connection:
        if what == "renew":
            lost.renew(connection, after(LEASE))
        elif what == "write":
            lost.write(connection, message="mine")
        else:
            lost.release(connection, None, status="finished")
    with rows.database.begin() as connection:
        kept = notifications.find(connection, row.notification_uuid)
    assert (kept.status, kept.message, kept.lease_owner) == ("new", None, "b")


def test_what_has_expired_is_taken_from_the_invocation_that_holds_it(rows: Rows) -> None:
    row, lost = claimed(rows)
    with rows.database.begin() as connection:
        notifications.take_expired(connection, after(1), after(2))
    assert claim(rows.database, row, "b", after(2)) is not None
    with pytest.raises(LeaseLost), rows.database.begin() as connection:
        lost.renew(connection, after(LEASE))


def test_a_renewed_lease_keeps_others_away_for_longer(rows: Rows) -> None:
    row, lease = claimed(rows)
    with rows.database.begin() as connection:
        lease.renew(connection, after(40 + LEASE))
    assert claim(rows.database, row, "b", after(LEASE)) is None
    assert claim(rows.database, row, "b", after(40 + LEASE)) is not None


def test_a_released_row_can_be_claimed_at_once(rows: Rows) -> None:
    row, lease = claimed(rows)
    change(rows, lease, NOW, "running")
    assert claim(rows.database, row, "b") is not None


@pytest.mark.parametrize("status", sorted(FINAL_NOTIFICATION))
def test_a_notification_that_has_ended_is_never_claimed(rows: Rows, status: NotificationStatus) -> None:
    row, lease = claimed(rows)
    change(rows, lease, None, status)
    assert claim(rows.database, row, "b", after(1e6)) is None


def test_a_failed_attempt_is_not_claimed_before_it_is_due(rows: Rows) -> None:
    row, lease = claimed(rows)
    change(rows, lease, after(120), "error")
    assert claim(rows.database, row, "b", after(119)) is None
    assert claim(rows.database, row, "b", after(120)) is not None


def test_an_unknown_notification_is_not_claimed(rows: Rows) -> None:
    with rows.database.begin() as connection:
        assert notifications.claim(connection, "nobody", "a", NOW, LEASE) is None


def test_of_two_notifications_of_one_host_only_one_runs(rows: Rows) -> None:
    (_, first), (second, waiting) = claimed(rows), claimed(rows)
    with rows.database.begin() as connection:
        notifications.start(connection, first, 1, NOW)
    with pytest.raises(AlreadyRunning), rows.database.begin() as connection:
        notifications.start(connection, waiting, 1, NOW)
    with rows.database.begin() as connection:
        assert notifications.find(connection, second.notification_uuid).status == "new"
    change(rows, first, None, "finished")
    with rows.database.begin() as connection:
        notifications.start(connection, waiting, 1, NOW)


def overdue(rows: Rows, now: datetime, grace: float = 5, limit: int = 10) -> list[str]:
    """Take what is overdue."""
    table = tables.notifications
    with rows.database.begin() as connection:
        return [row.notification_uuid for row in leases.take_overdue(connection, table, now, grace, limit)]


def test_due_work_is_left_to_its_own_event_for_a_grace(rows: Rows) -> None:
    row = rows.notification()
    assert overdue(rows, after(4.9)) == []
    assert [row.notification_uuid] == overdue(rows, after(5))


def test_overdue_work_is_not_taken_twice_within_the_grace(rows: Rows) -> None:
    row = rows.notification()
    assert [row.notification_uuid] == overdue(rows, after(5))
    assert overdue(rows, after(9)) == []
    assert [row.notification_uuid] == overdue(rows, after(10))


def test_work_that_somebody_holds_is_not_overdue_until_its_lease_ends(rows: Rows) -> None:
    row, _ = claimed(rows)
    assert overdue(rows, after(LEASE - 0.001)) == []
    assert [row.notification_uuid] == overdue(rows, after(LEASE))


def test_work_whose_lease_has_run_out_is_left_to_the_event_that_was_just_sent_for_it(rows: Rows) -> None:
    row, _ = claimed(rows)
    assert [row.notification_uuid] == overdue(rows, after(LEASE + 1))
    assert overdue(rows, after(LEASE + 5.9)) == []
    assert [row.notification_uuid] == overdue(rows, after(LEASE + 6))


def test_the_next_lease_to_end_is_known(rows: Rows) -> None:
    rows.notification(due_at=after(60))
    claimed(rows)
    rows.notification(due_at=after(-1))  # is due
    with rows.database.begin() as connection:
        found = outlook.read(connection, NOW)
    assert (found.notifications, found.vmoves, found.coming) == (after(-1), None, after(LEASE))


def test_a_table_is_named_in_which_something_is_due(rows: Rows) -> None:
    rows.notification(due_at=after(1))
    with rows.database.begin() as connection:
        found = outlook.read(connection, NOW)
    assert not found.due(NOW)
    assert found.due(after(1)) == {tables.notifications}


def test_the_oldest_recovery_at_work_is_known_and_none_that_waits_or_has_ended(rows: Rows) -> None:
    held = {"due_at": after(9), "lease_until": after(9), "lease_owner": "a"}
    made = [rows.notification(**about) for about in ({}, held | {"status": "finished"}, held, held)]
    with rows.database.begin() as connection:
        for seconds, row in zip((-100, -90, -80, -70), made, strict=True):
            this = tables.notifications.c.notification_uuid == row.notification_uuid
            connection.execute(update(tables.notifications).where(this).values(created_at=after(seconds)))
        assert outlook.read(connection, NOW).oldest_at_work == after(-80)


def test_work_that_is_done_is_never_overdue(rows: Rows) -> None:
    _, lease = claimed(rows)
    change(rows, lease, None, "finished")
    assert overdue(rows, after(1e6)) == []


def test_the_longest_overdue_work_is_taken_first(rows: Rows) -> None:
    due = [rows.notification(due_at=after(-seconds)).notification_uuid for seconds in (10, 30, 20)]
    assert [due[1]] == overdue(rows, NOW, limit=1)
    assert [due[2]] == overdue(rows, NOW, limit=1)
    assert [due[0]] == overdue(rows, NOW, limit=1)


def test_two_sweeps_at_the_same_time_share_the_work(rows: Rows) -> None:
    uuids = {rows.notification().notification_uuid for _ in range(4)}
    table = tables.notifications
    with rows.database.begin() as one, rows.database.begin() as other:
        shares = [leases.take_overdue(connection, table, after(9), 5, 2) for connection in (one, other)]
    assert [len(share) for share in shares] == [2, 2]
    assert uuids == {row.notification_uuid for share in shares for row in share}


def running(rows: Rows, names: str) -> Notification:
    """Have a running notification with pending vmoves."""
    row, lease = claimed(rows)
    with rows.database.begin() as connection:
        notifications.start(connection, lease, 1, NOW)
        started = notifications.find(connection, row.notification_uuid)
    rows.vmoves(started, names)
    return started


def moves(rows: Rows, notification: Notification) -> dict[str, VMove]:
    """Read the vmoves by the names of their instances."""
    with rows.database.begin() as connection:
        found = vmoves.of_attempt(connection, notification.notification_uuid, 1)
    return {move.instance_name: move for move in found}


def test_vmoves_begin_in_the_order_of_the_plan_and_no_more_than_there_are_slots(rows: Rows) -> None:
    notification = running(rows, "zyxab")
    begun = []
    for slots in (2, 0, 2, 5, 5):
        with rows.database.begin() as connection:
            started = begin(connection, notification, slots)
        begun.append("".join(move.instance_name for move in started))
    assert begun == ["zy", "", "xa", "b", ""]


def test_no_more_begin_than_there_are_slots_however_postgres_joins(rows: Rows) -> None:
    notification = running(rows, "abcd")
    with rows.database.begin() as connection:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
        started = begin(connection, notification, 1)
    assert [move.instance_name for move in started] == ["a"]


def claim_move(rows: Rows, move: VMove, now: datetime = NOW) -> VMove | None:
    """Claim a vmove."""
    with rows.database.begin() as connection:
        return vmoves.claim(connection, move.uuid, "a", now, LEASE)


def test_a_vmove_is_claimed_only_once_it_has_begun_and_by_one(rows: Rows) -> None:
    notification = running(rows, "a")
    move = moves(rows, notification)["a"]
    assert claim_move(rows, move) is None
    with rows.database.begin() as connection:
        begin(connection, notification, 1)
    assert claim_move(rows, move) is not None
    assert claim_move(rows, move) is None
    assert claim_move(rows, move, after(LEASE)) is not None


def test_no_vmove_is_claimed_once_its_notification_does_not_run_any_more(rows: Rows) -> None:
    notification = running(rows, "a")
    with rows.database.begin() as connection:
        begin(connection, notification, 1)
    change(rows, notifications.lease(notification, LEASE), None, "failed")
    assert claim_move(rows, moves(rows, notification)["a"]) is None


def test_another_plan_of_an_attempt_is_another_round(rows: Rows) -> None:
    notification = running(rows, "ab")
    rows.vmoves(notification, "b")
    with rows.database.begin() as connection:
        found = vmoves.of_attempt(connection, notification.notification_uuid, notification.attempt)
    assert [(move.round, move.instance_name) for move in found] == [(1, "a"), (1, "b"), (2, "b")]


def test_a_plan_holds_an_instance_once(rows: Rows) -> None:
    with pytest.raises(IntegrityError):
        rows.vmoves(rows.notification(), "aba")


def tries(rows: Rows, source_host: str = "compute1") -> dict[str, str]:
    """Read the status of the latest tries, by instance."""
    with rows.database.begin() as connection:
        found = vmoves.latest_tries(connection, source_host, ["instance-a", "instance-b", "instance-c"])
    return {instance: str(move.status) for instance, move in found.items()}


def test_the_latest_try_at_an_instance_is_known_to_later_notifications(rows: Rows) -> None:
    earlier = running(rows, "abc")
    with rows.database.begin() as connection:
        begin(connection, earlier, 2)
        ended = update(tables.vmoves).where(tables.vmoves.c.instance_name == "a")
        connection.execute(ended.values(status=VMoveStatus.FAILED))
    assert tries(rows) == {"instance-a": "failed", "instance-b": "ongoing"}
    assert tries(rows, "compute2") == {}


def test_an_instance_that_was_evacuated_since_a_failed_try_is_evaluated_anew(rows: Rows) -> None:
    for status in (VMoveStatus.FAILED, VMoveStatus.SUCCEEDED):
        notification = running(rows, "a")
        with rows.database.begin() as connection:
            begin(connection, notification, 1)
            mine = update(tables.vmoves).where(tables.vmoves.c.notification_uuid == notification.notification_uuid)
            connection.execute(mine.values(status=status))
            connection.execute(update(tables.notifications).values(status=NotificationStatus.FINISHED))
    assert tries(rows) == {}


def test_an_owners_lock_is_noted_while_the_instance_waits_for_its_turn_only(rows: Rows) -> None:
    notification = running(rows, "ab")
    with rows.database.begin() as connection:
        begin(connection, notification, 1)
        locked = [move.instance_uuid for move in vmoves.of_attempt(connection, notification.notification_uuid, 1)]
        settle(connection, notification, [], locked)
    found = moves(rows, notification)
    assert (found["a"].facts.locked, found["b"].facts.locked) == (False, True)


def test_a_reserved_host_is_taken_by_one_of_those_who_ask_at_once(rows: Rows) -> None:
    segment = rows.segment()
    names = {rows.host(segment, reserved=True).name for _ in range(2)}
    rows.host(segment, reserved=True, on_maintenance=True)
    rows.host(rows.segment(), reserved=True)
    taken: list[str] = []

    def take() -> None:
        with rows.database.begin() as connection:
            found = hosts.reserved(connection, segment.uuid, lock=True)
            if found:
                taken.append(found[0].name)
                hosts.change(connection, found[0].uuid, {"reserved": False}, NOW)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == sorted(taken)


def test_an_instance_that_fails_again_tells_nothing_new_of_the_host_and_one_that_moves_does(rows: Rows) -> None:
    first = running(rows, "ab")
    second = replace(first, attempt=first.attempt + 1)
    rows.vmoves(second, "abc")
    with rows.database.begin() as connection:
        end(connection, first, "a", "failed", 1)
        end(connection, first, "b", "failed", 2)
        end(connection, second, "a", "failed", 3)
        end(connection, second, "b", "succeeded", 4)
        end(connection, second, "c", "failed", 5)
        found = rounds.last_ended(connection, second, 5)
    assert [move.instance_name for move in found] == ["c", "b"]


def test_an_instance_that_fits_nowhere_tells_nothing_of_others(rows: Rows) -> None:
    notification = running(rows, "ab")
    with rows.database.begin() as connection:
        end(connection, notification, "a", "failed", 1)
        end(connection, notification, "b", "failed", 2)
        fits_nowhere = {"message": "Nova could not evacuate it: No valid host was found."}
        connection.execute(update(tables.vmoves).where(tables.vmoves.c.instance_name == "b").values(**fits_nowhere))
        found = rounds.last_ended(connection, notification, 5)
    assert [move.instance_name for move in found] == ["a"]


def end(connection: Connection, notification: Notification, name: str, status: str, seconds: float) -> None:
    """End the vmove of an instance in an attempt."""
    of_attempt = tables.vmoves.c.attempt == notification.attempt, tables.vmoves.c.instance_name == name
    connection.execute(update(tables.vmoves).where(*of_attempt).values(status=status, end_time=after(seconds)))


def test_what_is_open_is_closed_with_its_notification_and_what_is_final_stays(rows: Rows) -> None:
    notification = running(rows, "ab")
    with rows.database.begin() as connection:
        begin(connection, notification, 1)
    taken = claim_move(rows, moves(rows, notification)["a"])
    assert taken is not None
    with rows.database.begin() as connection:
        vmoves.lease(taken, LEASE).release(connection, None, status=VMoveStatus.SUCCEEDED)
        vmoves.ignore_open(connection, notification.notification_uuid, "over", NOW)
    found = moves(rows, notification)
    assert (found["a"].status, found["a"].message) == ("succeeded", None)
    assert (found["b"].status, found["b"].message, found["b"].due_at) == ("ignored", "over", None)


def test_only_watched_vmoves_are_settled(rows: Rows) -> None:
    notification = running(rows, "ab")
    with rows.database.begin() as connection:
        a, b = begin(connection, notification, 2)
    taken = claim_move(rows, moves(rows, notification)["a"])
    assert taken is not None
    with rows.database.begin() as connection:
        vmoves.lease(taken, LEASE).release(connection, None, step=VMoveStep.WATCHED)
        settle(connection, notification, [batches.Settled(move.uuid, "c2", False) for move in (a, b)])
    found = moves(rows, notification)
    assert ("settle", "c2", after(1)) == (found["a"].step, found["a"].dest_host, found["a"].due_at)
    assert (found["b"].step, found["b"].due_at) == ("start", NOW)


def test_each_evacuation_is_settled_with_its_own_end(rows: Rows) -> None:
    notification = running(rows, "ab")
    with rows.database.begin() as connection:
        a, b = begin(connection, notification, 2)
    for name in "ab":
        taken = claim_move(rows, moves(rows, notification)[name])
        assert taken is not None
        with rows.database.begin() as connection:
            vmoves.lease(taken, LEASE).release(connection, None, step=VMoveStep.WATCHED, locked_by_us=True)
    with rows.database.begin() as connection:
        done = [batches.Settled(a.uuid, "c2", True), batches.Settled(b.uuid, None, False)]
        settle(connection, notification, done)
    found = moves(rows, notification)
    assert (found["a"].dest_host, found["a"].locked_by_us) == ("c2", True)
    assert (found["b"].dest_host, found["b"].locked_by_us) == (None, False)


def test_the_statement_that_settles_a_batch_is_compiled_once(rows: Rows) -> None:
    notification = running(rows, "ab")
    with rows.database.begin() as connection:
        a, b = begin(connection, notification, 2)
        compiled: dict[Any, Any] = {}
        connection.execution_options(compiled_cache=compiled)
        settle(connection, notification, [batches.Settled(a.uuid, "c2", True)])
        once = len(compiled)
        settle(connection, notification, [batches.Settled(a.uuid, "c2", True), batches.Settled(b.uuid, None, False)])
    assert (once, len(compiled)) == (1, 1)


def test_of_what_waits_only_since_when_is_read_with_what_is_in_work(rows: Rows) -> None:
    notification = running(rows, "abc")
    with rows.database.begin() as connection:
        (begun,) = begin(connection, notification, 1)
        waiting = moves(rows, notification)["b"]
        assert rounds.in_work(connection, notification.notification_uuid) == ([begun], waiting.created_at)
        begin(connection, notification, 2)
        ongoing, waiting_since = rounds.in_work(connection, notification.notification_uuid)
    assert ([move.instance_name for move in ongoing], waiting_since) == (["a", "b", "c"], None)


def test_an_evacuation_that_ended_while_the_dispatcher_looked_is_left_as_it_is(rows: Rows) -> None:
    notification = running(rows, "a")
    with rows.database.begin() as connection:
        begin(connection, notification, 1)
    taken = claim_move(rows, moves(rows, notification)["a"])
    assert taken is not None
    with rows.database.begin() as connection:
        ended = {"status": VMoveStatus.SUCCEEDED, "step": VMoveStep.WATCHED, "dest_host": "c2"}
        vmoves.lease(taken, LEASE).release(connection, None, **ended)
    before = moves(rows, notification)["a"]
    with rows.database.begin() as connection:
        settle(connection, notification, [batches.Settled(taken.uuid, None, False)])
        batches.check_again(connection, [taken.uuid], after(1))
    assert moves(rows, notification)["a"] == before
