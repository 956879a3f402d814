import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

from instance_ha.decide.power import StopRecorded
from instance_ha.models.enums import Flow
from instance_ha.models.errors import AlreadyRunning
from instance_ha.models.rows import Host, Notification
from instance_ha.recovery.start import acquire_host
from instance_ha.store import notifications, tasks
from instance_ha.store.database import Database
from instance_ha.store.leases import Lease
from sqlalchemy import text

from tests.unit.build import NOW
from tests.unit.store.conftest import Rows


def spellings(instance: UUID) -> list[str]:
    """Spell a uuid in each way in which the API takes it."""
    return [str(instance), instance.hex, str(instance).upper(), f"{{{instance}}}", instance.urn]


def reported(rows: Rows, host: Host, kind: str, instance: str = "") -> tuple[Notification, Lease]:
    """Have a claimed notification."""
    payload = {"instance_uuid": instance} if instance else {}
    found = rows.notification(source_host_uuid=host.uuid, type=kind, payload=payload)
    with rows.database.begin() as connection:
        row = notifications.claim(connection, found.notification_uuid, str(uuid4()), NOW, 45.0)
    assert row is not None
    return row, notifications.lease(row, 45.0)


def begin(database: Database, claimed: tuple[Notification, Lease]) -> bool:
    """Try to become the recovery."""
    try:
        with database.begin() as connection:
            acquire_host(connection, claimed[1], claimed[0], 1, NOW)
    except AlreadyRunning:
        return False
    return True


def statuses(database: Database, *claimed: tuple[Notification, Lease]) -> list[str]:
    """Read how they stand."""
    with database.begin() as connection:
        return [notifications.find(connection, row.notification_uuid).status for row, _ in claimed]


def test_instances_of_one_host_are_recovered_side_by_side_and_each_by_one(database: Database) -> None:
    rows = Rows(database)
    host, one = rows.host(rows.segment()), uuid4()
    assert begin(database, reported(rows, host, "VM", str(one)))
    assert begin(database, reported(rows, host, "VM", str(uuid4())))
    for spelled in spellings(one):
        assert not begin(database, reported(rows, host, "VM", spelled)), spelled


def test_restarts_of_a_day_are_counted_by_the_instance_however_its_uuid_is_spelled(database: Database) -> None:
    rows, instance = Rows(database), uuid4()
    ended = {"type": "VM", "status": "finished", "attempt": 1}
    for spelled in [*spellings(instance), str(uuid4())]:
        rows.notification(payload={"event": "GUEST", "instance_uuid": spelled}, **ended)
    rows.notification(payload={"event": "OTHER", "instance_uuid": str(instance)}, **ended)
    with database.begin() as connection:
        payload = {"instance_uuid": str(instance), "event": "GUEST"}
        assert notifications.count_finished(connection, payload, NOW - timedelta(days=1)) == 5


def test_what_a_restart_has_stopped_is_found_however_its_uuid_was_spelled(database: Database) -> None:
    rows, instances = Rows(database), [uuid4() for _ in range(5)]
    for number, instance in enumerate(instances):
        payload = {"instance_uuid": spellings(instance)[number]}
        notification = rows.notification(type="VM", payload=payload)
        with database.begin() as connection:
            tasks.plan(connection, notification.notification_uuid, 1, Flow.INSTANCE, ["StopInstanceTask"])
            task = tasks.next_open(connection, notification.notification_uuid, 1)
            assert task is not None
            tasks.remember(connection, task, StopRecorded(""))
    wanted = {str(instance) for instance in instances}
    with database.begin() as connection:
        assert tasks.instances_stopped(connection, wanted) == wanted


def test_a_process_is_recovered_beside_instances_and_beside_no_other_process(database: Database) -> None:
    rows = Rows(database)
    host = rows.host(rows.segment())
    assert begin(database, reported(rows, host, "VM", str(uuid4())))
    assert begin(database, reported(rows, host, "PROCESS"))
    assert not begin(database, reported(rows, host, "PROCESS"))


def test_no_recovery_of_an_instance_or_a_process_begins_while_its_host_is_recovered(database: Database) -> None:
    rows = Rows(database)
    host = rows.host(rows.segment())
    assert begin(database, reported(rows, host, "COMPUTE_HOST"))
    assert not begin(database, reported(rows, host, "VM", str(uuid4())))
    assert not begin(database, reported(rows, host, "PROCESS"))
    assert not begin(database, reported(rows, host, "COMPUTE_HOST"))


def test_the_recovery_of_a_host_ends_those_of_its_processes(database: Database) -> None:
    rows = Rows(database)
    host = rows.host(rows.segment())
    process = reported(rows, host, "PROCESS")
    assert begin(database, process)
    assert begin(database, reported(rows, host, "COMPUTE_HOST"))
    assert statuses(database, process) == ["ignored"]


def test_recoveries_of_instances_are_superseded_by_the_instance_and_not_by_the_reported_host(
    database: Database,
) -> None:
    rows = Rows(database)
    segment = rows.segment()
    ours, other = str(uuid4()), str(uuid4())
    elsewhere, in_braces, another = (
        reported(rows, rows.host(segment), "VM", instance) for instance in (ours, f"{{{ours.upper()}}}", other)
    )
    assert begin(database, elsewhere)
    assert begin(database, another)
    with database.begin() as connection:
        ended = notifications.supersede_instances(connection, [ours], "its host has failed", NOW, NOW)
    assert ended == [elsewhere[0].notification_uuid]
    assert begin(database, in_braces)
    with database.begin() as connection:
        ended = notifications.supersede_instances(connection, [ours], "its host has failed", NOW, NOW)
    assert ended == [in_braces[0].notification_uuid]
    assert statuses(database, elsewhere, another) == ["ignored", "running"]


def test_a_host_and_its_processes_that_begin_at_the_same_time_never_run_both(database: Database) -> None:
    rows = Rows(database)
    host = rows.host(rows.segment())
    claimed = [reported(rows, host, kind) for kind in ("PROCESS", "PROCESS", "COMPUTE_HOST", "PROCESS")]
    threads = [threading.Thread(target=begin, args=(database, one)) for one in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = statuses(database, *claimed)
    assert found[2] == "running"
    assert "running" not in [*found[:2], found[3]]


def waits(database: Database) -> bool:
    """Whether a transaction waits for another one."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with database.begin() as connection:
        return int(connection.execute(query).scalar_one()) > 0


def test_the_recovery_of_an_instance_waits_for_one_of_its_host_that_begins_at_the_same_time(database: Database) -> None:
    rows = Rows(database)
    host = rows.host(rows.segment())
    (notification, lease), instance = reported(rows, host, "COMPUTE_HOST"), reported(rows, host, "VM", str(uuid4()))
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            acquire_host(connection, lease, notification, 1, NOW)
            other = pool.submit(begin, database, instance)
            while not other.done() and not waits(database):
                pass
        assert other.result() is False
