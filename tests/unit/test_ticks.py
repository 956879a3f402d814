"""A tick repeats its work for the time of one invocation, by Postgres' clock, and outlives Postgres' absence."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event

import pytest
from instance_ha.models.errors import StoreUnavailable
from instance_ha.store.database import Database
from instance_ha.ticks import repeat
from instance_ha.world import DatabaseClock, SystemClock, World
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.scheduler import START, ahead
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import text


@pytest.fixture
def simulation(database_url: str) -> Simulation:
    """A simulated installation whose invocations last 10 s."""
    return Simulation(database_url, {"invocation_time": "10"}, CloudOptions(), Faults())


def run(simulation: Simulation, once: "_Work", skew: float = 0.0, lasts: float | None = None) -> list[float]:
    """Repeat something as one invocation; returns the seconds at which it happened."""

    def invocation() -> None:
        ahead.set(skew)
        repeat(simulation.world, "work", once, 2.0, lasts=lasts)

    simulation.scheduler.spawn("tick", invocation)
    simulation.scheduler.run(100, lambda: False)
    return once.at


class _Work:
    """Work that notes when it was done, by the clock that it is given."""

    def __init__(self, *pauses: float | None, away: int = 0) -> None:
        self.at: list[float] = []
        self.ends: set[datetime] = set()
        self._pauses = list(pauses)
        self._away = away

    def __call__(self, world: World, end: datetime) -> datetime | None:
        self.at.append((world.clock.now() - START).total_seconds())
        self.ends.add(end)
        if self._away >= len(self.at):
            raise StoreUnavailable("away")
        pause = self._pauses.pop(0) if self._pauses else None
        return None if pause is None else world.clock.now() + timedelta(seconds=pause)


def test_it_is_done_each_interval_until_the_invocation_ends(simulation: Simulation) -> None:
    work = _Work()
    assert run(simulation, work) == [0, 2, 4, 6, 8]
    assert work.ends == {START + timedelta(seconds=10)}


def test_it_may_last_longer_than_an_invocation(simulation: Simulation) -> None:
    assert run(simulation, _Work(), lasts=12.5)[-1] == 12


def test_it_is_done_when_it_says_that_it_is_due_again(simulation: Simulation) -> None:
    assert run(simulation, _Work(0.0, 5.0, 0.5, 9.0)) == [0, 0, 5, 5.5]


def test_it_is_tried_each_five_seconds_while_postgres_is_away(simulation: Simulation) -> None:
    assert run(simulation, _Work(away=1)) == [0, 5, 7, 9]


@pytest.mark.parametrize("skew", [-3600.0, 120.0])
def test_a_wrong_clock_of_the_machine_changes_nothing(simulation: Simulation, skew: float) -> None:
    assert run(simulation, _Work(1.0, 1.0), skew) == [0, 1, 2, 4, 6, 8]


def test_the_clock_of_an_invocation_goes_on_from_what_postgres_said(simulation: Simulation) -> None:
    seen: list[datetime] = []

    def invocation() -> None:
        ahead.set(70.0)
        clock = DatabaseClock(simulation.world.clock, simulation.world.database)
        clock.sleep(5)
        seen.append(clock.now())

    simulation.scheduler.spawn("invocation", invocation)
    simulation.scheduler.run(10, lambda: False)
    assert seen == [START + timedelta(seconds=5)]


def test_an_invocation_that_waits_for_postgres_to_tell_the_time_holds_up_no_other() -> None:
    asked, answer = Event(), Event()

    class Away:
        def now(self) -> datetime:
            asked.set()
            answer.wait(30)
            raise StoreUnavailable("away")

    class There:
        def now(self) -> datetime:
            return START

    waiting = DatabaseClock(SystemClock(), Away())  # type: ignore[arg-type]
    other = DatabaseClock(SystemClock(), There())  # type: ignore[arg-type]
    with ThreadPoolExecutor(2) as pool:
        late = pool.submit(waiting.now)
        assert asked.wait(30)
        try:
            assert pool.submit(other.now).result(10) >= START
        finally:
            answer.set()
        assert isinstance(late.exception(), StoreUnavailable)


def test_postgres_tells_the_time_in_utc_whatever_its_own_time_zone_is(database_url: str) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'"))
    database.close()
    now = Database(database_url).now()
    assert now.utcoffset() == timedelta()


def test_it_is_not_begun_again_in_an_instance_that_is_about_to_end(simulation: Simulation) -> None:
    simulation.world = replace(simulation.world, ending=lambda: True)
    assert run(simulation, _Work(0.0, 0.0)) == [0]
