import threading
from uuid import UUID, uuid4

from instance_ha.models.rows import Host, Notification
from instance_ha.recovery.start import acquire_host
from instance_ha.store import notifications
from instance_ha.store.database import Database
from instance_ha.store.leases import Lease

from tests.unit.build import NOW
from tests.unit.store.conftest import Rows


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
    with database.begin() as connection:
        return acquire_host(connection, claimed[1], claimed[0], 1, NOW) is not None


def statuses(database: Database, *claimed: tuple[Notification, Lease]) -> list[str]:
    """Read how they stand."""
    with database.begin() as connection:
        return [notifications.find(connection, row.notification_uuid).status for row, _ in claimed]


def test_instances_of_one_host_are_recovered_side_by_side_and_each_by_one(database: Database) -> None:
    rows = Rows(database)
    host, one = rows.host(rows.segment()), str(uuid4())
    without_dashes = UUID(one).hex.upper()
    assert begin(database, reported(rows, host, "VM", one))
    assert begin(database, reported(rows, host, "VM", str(uuid4())))
    assert not begin(database, reported(rows, host, "VM", without_dashes))


def test_a_process_is_recovered_beside_instances_and_beside_no_other_process(database: Database) -> None:
    rows = Rows(database)
    host = rows.host(rows.segment())
    assert begin(database, reported(rows, host, "VM", str(uuid4())))
    assert begin(database, reported(rows, host, "PROCESS"))
    assert not begin(database, reported(rows, host, "PROCESS"))


def test_no_instance_is_recovered_while_its_host_is_and_the_hosts_recovery_ends_theirs(database: Database) -> None:
    rows = Rows(database)
    host = rows.host(rows.segment())
    running = [reported(rows, host, "VM", str(uuid4())) for _ in range(3)]
    assert all(begin(database, claimed) for claimed in running)
    assert begin(database, reported(rows, host, "COMPUTE_HOST"))
    assert statuses(database, *running) == ["ignored"] * 3
    assert not begin(database, reported(rows, host, "VM", str(uuid4())))
    assert not begin(database, reported(rows, host, "COMPUTE_HOST"))


def test_a_host_and_its_instances_that_begin_at_the_same_time_never_run_both(database: Database) -> None:
    rows = Rows(database)
    host = rows.host(rows.segment())
    kinds = [("VM", str(uuid4())), ("VM", str(uuid4())), ("COMPUTE_HOST", ""), ("VM", str(uuid4()))]
    claimed = [reported(rows, host, kind, instance) for kind, instance in kinds]
    threads = [threading.Thread(target=begin, args=(database, one)) for one in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = statuses(database, *claimed)
    assert found[2] == "running"
    assert "running" not in [*found[:2], found[3]]
