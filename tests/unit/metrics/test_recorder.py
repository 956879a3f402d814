"""What is counted in many processes is in Postgres in the end, and nobody fails for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from instance_ha.metrics.recorder import Recorder
from instance_ha.models.metrics import LEASE_LOSSES, NOTIFICATION_DELAY, NOVA_REQUESTS, TICKS
from instance_ha.store import counters
from instance_ha.store.database import Database

from tests.unit.build import NOW

SWEEP = TICKS.series(function="sweep")
POLL = TICKS.series(function="monitor-poll")
VMOVES = LEASE_LOSSES.series(table="vmoves")


def read(database: Database) -> dict[tuple[str, str], float]:
    """Read all counters."""
    with database.begin() as connection:
        return counters.read(connection)


def test_processes_that_count_at_the_same_time_lose_nothing(database: Database, database_url: str) -> None:
    def process(number: int) -> None:
        own, recorder = Database(database_url, 1), Recorder()
        for _ in range(25):  # in different orders, so that they would block each other if it mattered
            for function in ("sweep", "monitor-poll")[:: 1 if number % 2 else -1]:
                recorder.count(TICKS, function=function)
            recorder.count(LEASE_LOSSES, table="vmoves")
            recorder.flush_now(own)
        own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(process, range(4)))
    assert read(database) == {SWEEP: 100, POLL: 100, VMOVES: 100}


def test_threads_of_a_process_that_count_and_flush_lose_nothing(database: Database) -> None:
    recorder = Recorder()

    def invocation(_: int) -> None:
        recorder.count(TICKS, function="sweep")
        recorder.flush(database)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(invocation, range(40)))
    recorder.flush_now(database)  # as at the end of the process
    assert read(database) == {SWEEP: 40}


def test_a_process_writes_its_counts_at_once_and_then_at_most_each_ten_seconds(database: Database) -> None:
    planned: list[tuple[float, Callable[[], None]]] = []
    recorder = Recorder(lambda seconds, work: planned.append((seconds, work)))
    written = []
    for _ in range(100):
        recorder.count(LEASE_LOSSES, table="vmoves")
        recorder.flush(database)
        written.append(read(database)[VMOVES])
    assert set(written) == {1}
    ((seconds, work),) = planned
    assert seconds == 10.0
    work()
    assert read(database)[VMOVES] == 100
    before = database.statements
    planned.pop()[1]()  # nothing was counted since: nothing more is planned
    assert (database.statements, planned[1:]) == (before, [])


def test_an_invocation_that_has_counted_nothing_asks_nothing_of_postgres(database: Database) -> None:
    before = database.statements
    Recorder().flush(database)
    assert before == database.statements


def test_all_counts_of_an_invocation_are_added_by_one_statement(database: Database) -> None:
    recorder = Recorder()
    for number in range(20):
        recorder.observe(NOVA_REQUESTS, 0.5, operation=f"GET thing-{number}", outcome="ok")
    before = database.statements
    recorder.flush(database)
    assert database.statements == before + 1


def test_counts_wait_while_postgres_is_away_and_nobody_fails(database: Database) -> None:
    away, recorder = Database("postgresql://ha:s3cret@127.0.0.1:1/ha"), Recorder()
    recorder.count(TICKS, function="sweep")
    recorder.flush(away)
    recorder.count(TICKS, function="sweep")
    recorder.flush(database)
    assert read(database) == {SWEEP: 2}


def test_counts_wait_while_the_table_is_not_there_yet_and_nobody_fails(database: Database) -> None:
    recorder = Recorder()
    recorder.count(TICKS, function="sweep")
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE counters RENAME TO elsewhere")
    recorder.flush(database)
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO counters")
    recorder.flush(database)
    assert read(database) == {SWEEP: 1}


def test_the_time_of_the_last_count_never_goes_back(database: Database) -> None:
    for seconds in (60, 0):  # a process that was slow after it had read the clock comes last
        with database.begin() as connection:
            counters.add(connection, {SWEEP: 1.0}, NOW + timedelta(seconds=seconds))
    with database.begin() as connection:
        assert counters.grown(connection, TICKS.shown) == {SWEEP[1]: NOW + timedelta(seconds=60)}


def test_an_observation_on_a_bound_is_within_it_and_one_before_the_failure_took_no_time() -> None:
    bounds = [labels for name, labels in NOTIFICATION_DELAY.observed(60.0, type="VM") if name.endswith("_bucket")]
    assert bounds == [NOTIFICATION_DELAY.series(type="VM", le=le)[1] for le in ("60", "120", "300", "600")]
    early = NOTIFICATION_DELAY.observed(-5.0, type="VM")
    assert early[NOTIFICATION_DELAY.series("_sum", type="VM")] == 0.0
    assert early[NOTIFICATION_DELAY.series("_bucket", type="VM", le="1")] == 1.0
