"""Returns of hosts, and which evacuations they may undo."""

from datetime import datetime, timedelta
from typing import Any

from instance_ha.models.enums import NotificationStatus, VMoveStatus, VMoveType
from instance_ha.models.returns import HostReturn, ReturnPolicy, ReturnStatus
from instance_ha.models.rows import Host, Notification
from instance_ha.models.uuids import HostUuid, NotificationUuid
from instance_ha.store import hosts, policies, returns, vmoves
from instance_ha.store.database import Database
from instance_ha.store.schema import notifications as notifications_table
from instance_ha.store.schema import returns as table
from instance_ha.store.schema import vmoves as moves
from sqlalchemy import update

from tests.unit.build import NOW
from tests.unit.store.conftest import Rows


def ask(database: Database, host: str = "host", **about: Any) -> HostReturn | None:
    """Store a return."""
    values: dict[str, Any] = {"uuid": f"return-{about}", "created_at": NOW, "move_home": True, "due_at": NOW} | about
    with database.begin() as connection:
        return returns.create(connection, HostReturn(id=0, host_uuid=HostUuid(host), **values))


def end(database: Database, row: HostReturn | None, status: ReturnStatus, at: datetime) -> None:
    """End a return."""
    assert row is not None
    with database.begin() as connection:
        connection.execute(update(table).where(table.c.uuid == row.uuid).values(status=status, ended_at=at))


def evacuated(database: Database, rows: Rows, names: str, source: str, dest: str, **about: Any) -> Notification:
    """Store a recovery that has moved instances."""
    made = rows.notification(attempt=1, **about)
    rows.vmoves(made, names)
    with database.begin() as connection:
        values = {"status": VMoveStatus.SUCCEEDED, "source_host": source, "dest_host": dest, "start_time": NOW}
        connection.execute(update(moves).where(moves.c.notification_uuid == made.notification_uuid).values(**values))
    return made


def movable(database: Database, host: str = "host") -> list[str]:
    """Name the instances that may go home."""
    with database.read() as connection:
        found = returns.movable(connection, HostUuid(host))
    return [move.instance_name for move in found]


def test_a_host_returns_once_at_a_time(database: Database) -> None:
    first = ask(database)
    assert first is not None
    assert ask(database, uuid="second") is None
    assert ask(database, host="another", uuid="third") is not None
    end(database, first, ReturnStatus.STOPPED, NOW)
    assert ask(database, uuid="fourth") is not None


def test_an_instance_that_was_evacuated_again_from_elsewhere_has_no_way_home(database: Database, rows: Rows) -> None:
    evacuated(database, rows, "ab", "compute1", "compute2")
    evacuated(database, rows, "b", "compute2", "compute3", source_host_uuid="host2")
    assert movable(database) == ["a"]


def test_what_went_home_needs_no_way_home_and_what_has_failed_to_does(database: Database, rows: Rows) -> None:
    evacuated(database, rows, "ab", "compute1", "compute2")
    row = ask(database)
    assert row is not None
    with database.begin() as connection:
        returns.plan(connection, returns.movable(connection, HostUuid("host")), "compute1", NOW)
        home, stuck = returns.moves_home(connection, row, "compute1")
        for move, status in ((home, VMoveStatus.SUCCEEDED), (stuck, VMoveStatus.FAILED)):
            returns.begin_move(connection, move, 7, NOW)
            returns.end_move(connection, move, status, None, NOW)
        ended = returns.moves_home(connection, row, "compute1")
    assert [(one.type, one.source_host, one.dest_host) for one in ended] == [
        (VMoveType.LIVE_MIGRATION, "compute2", "compute1"),
        (VMoveType.LIVE_MIGRATION, "compute2", None),
    ]
    assert movable(database) == ["b"]


def test_a_move_home_is_no_try_at_an_evacuation(database: Database, rows: Rows) -> None:
    recovery = evacuated(database, rows, "a", "compute1", "compute2")
    row = ask(database)
    assert row is not None
    with database.begin() as connection:
        returns.plan(connection, returns.movable(connection, HostUuid("host")), "compute1", NOW)
        (move,) = returns.moves_home(connection, row, "compute1")
        returns.begin_move(connection, move, 0, NOW)
        returns.end_move(connection, move, VMoveStatus.FAILED, "aborted", NOW)
        assert vmoves.latest_tries(connection, "compute2", ["instance-a"]) == {}
        (evacuation,) = vmoves.of_notification(connection, recovery.notification_uuid)
    assert evacuation.type == VMoveType.EVACUATION


def begun(database: Database, row: HostReturn | None, at: datetime) -> None:
    assert row is not None
    with database.begin() as connection:
        connection.execute(update(table).where(table.c.uuid == row.uuid).values(begun_at=at))


def reported(database: Database, recovery: Notification, at: datetime) -> None:
    of_it = notifications_table.c.notification_uuid == recovery.notification_uuid
    with database.begin() as connection:
        connection.execute(update(notifications_table).where(of_it).values(created_at=at))


def unsettled(database: Database) -> list[NotificationUuid]:
    with database.read() as connection:
        return returns.unsettled(connection, HostUuid("host"))


def test_recoveries_from_before_the_last_way_home_are_settled(database: Database, rows: Rows) -> None:
    first = evacuated(database, rows, "a", "compute1", "compute2")
    row = ask(database)
    begun(database, row, NOW + timedelta(minutes=1))
    assert unsettled(database) == [first.notification_uuid]
    end(database, row, ReturnStatus.FAILED, NOW + timedelta(minutes=3))
    assert unsettled(database) == [first.notification_uuid]
    end(database, row, ReturnStatus.FINISHED, NOW + timedelta(minutes=3))
    assert unsettled(database) == []


def test_a_failure_that_was_reported_while_instances_went_home_is_not_settled(database: Database, rows: Rows) -> None:
    row = ask(database)
    begun(database, row, NOW + timedelta(minutes=1))
    end(database, row, ReturnStatus.FINISHED, NOW + timedelta(minutes=3))
    second = evacuated(database, rows, "a", "compute1", "compute2")
    reported(database, second, NOW + timedelta(minutes=2))
    assert unsettled(database) == [second.notification_uuid]


def test_who_had_to_stay_when_others_went_home_may_go_later(database: Database, rows: Rows) -> None:
    evacuated(database, rows, "ab", "compute1", "compute2")
    row = ask(database)
    assert row is not None
    with database.begin() as connection:
        returns.plan(connection, returns.movable(connection, HostUuid("host")), "compute1", NOW)
        home, stays = returns.moves_home(connection, row, "compute1")
        returns.begin_move(connection, home, 7, NOW)
        returns.end_move(connection, home, VMoveStatus.SUCCEEDED, None, NOW)
        returns.end_move(connection, stays, VMoveStatus.IGNORED, "it is locked", NOW)
    begun(database, row, NOW + timedelta(minutes=1))
    end(database, row, ReturnStatus.FINISHED, NOW + timedelta(minutes=3))
    assert movable(database) == ["b"]


def host_on_maintenance(rows: Rows, database: Database, policy: ReturnPolicy, status: NotificationStatus) -> Host:
    """Store a host that a recovery has put on maintenance."""
    host = rows.host(rows.segment())
    made = rows.notification(source_host_uuid=host.uuid, attempt=1)
    with database.begin() as connection:
        changes = {"on_maintenance": True, "on_maintenance_for": made.notification_uuid}
        hosts.change(connection, host.uuid, changes, NOW)
        policies.change(connection, host.failover_segment_id, {"returns": policy}, None, NOW)
        of_it = notifications_table.c.notification_uuid == made.notification_uuid
        connection.execute(update(notifications_table).where(of_it).values(status=status))
        returns.plan_if_due(connection, host.uuid, NOW)
    return host


def test_only_a_finished_recovery_under_the_policy_auto_leads_to_a_return_by_itself(
    database: Database, rows: Rows
) -> None:
    cases = [(ReturnPolicy.AUTO, NotificationStatus.FINISHED), (ReturnPolicy.MANUAL, NotificationStatus.FINISHED)]
    cases += [(ReturnPolicy.AUTO, NotificationStatus.FAILED), (ReturnPolicy.NEVER, NotificationStatus.FINISHED)]
    found = [host_on_maintenance(rows, database, *case) for case in cases]
    with database.read() as connection:
        planned = [returns.open_of_host(connection, host.uuid) for host in found]
    assert [row is not None for row in planned] == [True, False, False, False]
    assert planned[0] is not None
    assert (planned[0].move_home, planned[0].actor) == (True, None)
