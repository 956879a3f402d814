"""A claim is the only way to write in a recovery, and nothing is written or sent under a lost lease."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from instance_ha import recovery as package
from instance_ha.models.cloud import Migration
from instance_ha.models.enums import Flow, VMoveStep
from instance_ha.models.errors import LeaseLost
from instance_ha.models.rows import Notification, TaskRow
from instance_ha.recovery.claim import Claim, claim_notification
from instance_ha.recovery.evacuation.dispatcher import evacuate_round
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import notifications, tasks
from instance_ha.store.database import Database
from instance_ha.store.schema import vmoves as vmove_rows
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import text, update
from sqlalchemy.exc import InternalError

from tests.unit.build import host
from tests.unit.store.conftest import Rows

FOLDER = Path(package.__file__).parent


@pytest.fixture
def simulation(database_url: str) -> Simulation:
    """A simulated installation, whose time stands still."""
    return Simulation(database_url, {}, CloudOptions(), Faults())


@dataclass(frozen=True)
class _Memory:
    number: int
    at: datetime | None = None


def claimed(simulation: Simulation) -> Recovery:
    """Claim the recovery of a host."""
    found = Rows(simulation.world.database).notification()
    claim = claim_notification(simulation.world, found.notification_uuid)
    assert claim is not None
    with claim.transaction() as connection:
        tasks.plan(connection, found.notification_uuid, 1, Flow.HOST_AUTO, ["EvacuateInstancesTask"])
    return Recovery(claim, host())


def task_of(recovery: Recovery) -> TaskRow:
    """Read its task."""
    with recovery.claim.read() as connection:
        found = tasks.next_open(connection, recovery.notification.notification_uuid, 1)
    assert found is not None
    return found


def lose(recovery: Recovery) -> None:
    """Give the row to another invocation."""
    other = text("UPDATE notifications SET lease_owner = 'another'")
    with recovery.world.database.begin() as connection:
        connection.execute(other)


def data(database: Database) -> object:
    """Read what the tasks remember, and the vmoves' due times."""
    query = text("SELECT (SELECT jsonb_agg(data) FROM recovery_tasks), (SELECT jsonb_agg(due_at) FROM vmoves)")
    with database.begin() as connection:
        return connection.execute(query).one()


WRITES: dict[str, Callable[[Recovery, TaskRow], object]] = {
    "the end of a wait": lambda recovery, task: recovery.give_up_at(task, 60),
    "what a task remembers": lambda recovery, task: recovery.remember(task, _Memory(1)),
    "progress": lambda recovery, task: recovery.progress(task, 0.5, "half"),
    "a value of the row": lambda recovery, _: recovery.claim.write(message="mine"),
}


@pytest.mark.parametrize("what", WRITES)
def test_nothing_is_written_after_the_lease_was_lost(simulation: Simulation, what: str) -> None:
    recovery = claimed(simulation)
    task, before = task_of(recovery), data(simulation.world.database)
    lose(recovery)
    with pytest.raises(LeaseLost):
        WRITES[what](recovery, task)
    assert data(simulation.world.database) == before


def test_after_an_unexpected_error_the_row_is_due_again_with_the_reason(simulation: Simulation) -> None:
    recovery = claimed(simulation)
    with recovery.claim.lease_guard():
        raise ValueError("a defect")
    with simulation.world.database.begin() as connection:
        row = notifications.find(connection, recovery.notification.notification_uuid)
    assert (row.lease_owner, row.message) == (None, "waiting: internal error: ValueError")
    assert row.due_at == simulation.world.clock.now() + timedelta(seconds=1)


class _LosesTheLease:
    """Nova, whose list of evacuations lasts so long that the lease is lost meanwhile."""

    def __init__(self, nova: Any, recovery: Recovery) -> None:
        self._nova = nova
        self._recovery = recovery

    def under(self, *lease: Any) -> "_LosesTheLease":
        return _LosesTheLease(self._nova.under(*lease), self._recovery)

    def evacuations_from(self, *about: Any) -> Iterator[Migration]:
        lose(self._recovery)
        return cast("Iterator[Migration]", self._nova.evacuations_from(*about))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nova, name)


def test_an_unseen_evacuation_is_not_checked_again_after_the_lease_was_lost(simulation: Simulation) -> None:
    recovery = claimed(simulation)
    task = task_of(recovery)
    Rows(simulation.world.database).vmoves(recovery.notification, "a")
    long_ago = simulation.scheduler.now() - timedelta(hours=1)
    watched = {"status": "ongoing", "step": VMoveStep.WATCHED, "asked_at": long_ago, "updated_at": long_ago}
    with recovery.claim.transaction() as connection:
        connection.execute(update(vmove_rows).values(**watched))
    world = recovery.claim.world
    recovery.claim.world = replace(world, nova=_LosesTheLease(world.nova, recovery))
    before = data(simulation.world.database)
    with pytest.raises(LeaseLost):
        evacuate_round(recovery, task, None)
    assert data(simulation.world.database) == before


def test_a_reading_transaction_cannot_write(simulation: Simulation) -> None:
    claim = claimed(simulation).claim
    with pytest.raises(InternalError, match="read-only"), claim.read() as connection:
        connection.execute(text("UPDATE notifications SET message = 'mine'"))


def test_a_task_remembers_one_of_each_kind(simulation: Simulation) -> None:
    recovery = claimed(simulation)
    task, at = task_of(recovery), simulation.scheduler.now()
    assert recovery.recall(task, _Memory) is None
    until = recovery.give_up_at(task, 60)
    recovery.remember(task, _Memory(1))
    recovery.remember(task, _Memory(2, at))
    assert recovery.recall(task, _Memory) == _Memory(2, at)
    assert recovery.give_up_at(task_of(recovery), 5) == until  # in another run of the task


def held(claim: Claim[Notification]) -> timedelta:
    """Say how long the lease lasts, by the row."""
    with claim.read() as connection:
        until = notifications.find(connection, claim.row.notification_uuid).lease_until
    assert until is not None
    return until - claim.world.clock.now()


@pytest.mark.parametrize(("seconds", "lease"), [(1, 15), (13, 15), (60, 62), (600, 602)])
def test_a_lease_outlasts_the_request_that_is_made_under_it(simulation: Simulation, seconds: int, lease: int) -> None:
    claim = claimed(simulation).claim
    claim.cover(seconds)
    assert held(claim) == timedelta(seconds=lease)


def in_a_process(simulation: Simulation, work: Callable[[], None], kill_at: float | None = None) -> None:
    """Do something in virtual time; the process may be killed meanwhile."""
    scheduler = simulation.scheduler
    scheduler.spawn("recover-host", work)
    if kill_at is not None:
        scheduler.spawn("killer", lambda: scheduler.kill(["recover-host"]), kill_at)
    scheduler.run(1000, lambda: False)


def test_the_lease_of_a_long_question_is_renewed_while_it_lasts_and_ends_soon_after(simulation: Simulation) -> None:
    claim = claimed(simulation).claim
    left: list[timedelta] = []

    def work() -> None:
        with claim.renewed(60):
            for _ in range(12):
                simulation.scheduler.sleep(5)
                left.append(held(claim))

    in_a_process(simulation, work)
    assert len(left) == 12
    assert set(left) <= {timedelta(seconds=10), timedelta(seconds=15)}


def test_the_lease_of_a_question_that_is_longer_than_it_may_be_ends(simulation: Simulation) -> None:
    claim = claimed(simulation).claim

    def work() -> None:
        with claim.renewed(20):
            simulation.scheduler.sleep(60)

    in_a_process(simulation, work)
    assert held(claim) < timedelta()


def test_a_lease_is_not_renewed_after_a_kill_in_the_middle_of_a_question(simulation: Simulation) -> None:
    claim, ended = claimed(simulation).claim, []

    def work() -> None:
        simulation.scheduler.spawn("watcher", lambda: ended.append(held(claim)), 30)
        with claim.renewed(600):
            simulation.scheduler.sleep(600)

    in_a_process(simulation, work, kill_at=8)
    assert ended == [timedelta(seconds=-10)]


def test_a_question_goes_on_though_its_lease_is_lost_meanwhile_and_the_next_write_finds_out(
    simulation: Simulation,
) -> None:
    recovery = claimed(simulation)
    asked = []

    def work() -> None:
        with recovery.claim.renewed(60):
            lose(recovery)
            simulation.scheduler.sleep(30)
            asked.append(True)
        with pytest.raises(LeaseLost):
            recovery.claim.write(message="mine")

    in_a_process(simulation, work)
    assert asked


def test_no_request_is_sent_after_the_lease_was_lost(simulation: Simulation) -> None:
    recovery = claimed(simulation)
    recovery.claim.held_until = simulation.scheduler.now()
    lose(recovery)
    with pytest.raises(LeaseLost):
        recovery.nova.service("compute1")
    assert not simulation.cloud.requests


def test_recoveries_open_transactions_by_their_claims_alone() -> None:
    """All others would write without being the owner; sweep owns nothing, and takes rows that others hold too long."""
    opening = {"begin", "read"}
    found = {
        str(path.relative_to(FOLDER))
        for path in FOLDER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in opening
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "database"
    }
    assert found == {"claim.py", "sweep.py"}


def test_a_wait_ends_at_once_in_an_instance_that_is_about_to_end(simulation: Simulation) -> None:
    recovery = claimed(simulation)
    assert not recovery.claim.out_of_time
    recovery.claim.world = replace(simulation.world, ending=lambda: True)
    assert recovery.claim.out_of_time
    assert not recovery.claim.pause()  # and its clock has not moved, which stands still
