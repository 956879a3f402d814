"""Returns of hosts: what the API reads and writes, and the claim of one; and the moves home, as vmoves."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from instance_ha.models.enums import (
    OPEN_VMOVE,
    NotificationStatus,
    NotificationType,
    VMoveStatus,
    VMoveStep,
    VMoveType,
)
from instance_ha.models.errors import NotFound
from instance_ha.models.returns import OPEN_RETURN, HostReturn, ReturnPolicy, ReturnStatus
from instance_ha.models.rows import InstanceFacts, VMove
from instance_ha.models.uuids import HostUuid, NotificationUuid
from instance_ha.store import leases, records, vmoves
from instance_ha.store.schema import hosts, notifications, returns, segment_policies
from instance_ha.store.schema import vmoves as moves

_IS_OPEN = returns.c.status.in_(OPEN_RETURN)
_RETURNS_BY_ITSELF = (
    select(hosts.c.id)
    .join(notifications, notifications.c.notification_uuid == hosts.c.on_maintenance_for)
    .join(segment_policies, segment_policies.c.segment_uuid == hosts.c.failover_segment_id)
    .where(
        hosts.c.uuid == bindparam("host"),
        hosts.c.deleted_at.is_(None),
        notifications.c.deleted_at.is_(None),
        notifications.c.type == NotificationType.COMPUTE_HOST,
        notifications.c.status == NotificationStatus.FINISHED,
        segment_policies.c.returns == ReturnPolicy.AUTO,  # no default: one that nobody has changed has no row
    )
)


def create(connection: Connection, made: HostReturn) -> HostReturn | None:
    """Store a return, which is due at once; None when one of the host is open."""
    statement = insert_or_not(returns).values(records.values(made)).on_conflict_do_nothing().returning(returns)
    return records.first(connection, statement, HostReturn)


def find(connection: Connection, uuid: str, *, lock: bool = False) -> HostReturn:
    """Read a return.

    Raises:
        NotFound: there is none.

    """
    query = select(returns).where(returns.c.uuid == uuid)
    found = records.first(connection, query.with_for_update() if lock else query, HostReturn)
    if found is None:
        raise NotFound(f"return {uuid} could not be found")
    return found


def page(connection: Connection, host_uuid: HostUuid | None, before: int | None, limit: int) -> list[HostReturn]:
    """List returns, of a host or of all, the newest first; only older rows than ``before``."""
    query = select(returns).order_by(returns.c.id.desc()).limit(limit)
    if host_uuid is not None:
        query = query.where(returns.c.host_uuid == host_uuid)
    if before is not None:
        query = query.where(returns.c.id < before)
    return records.every(connection, query, HostReturn)


def open_of_host(connection: Connection, host_uuid: HostUuid) -> HostReturn | None:
    """Read the return of a host that has not ended."""
    return records.first(connection, select(returns).where(returns.c.host_uuid == host_uuid, _IS_OPEN), HostReturn)


def ask_to_stop(connection: Connection, uuid: str, actor: str | None, now: datetime) -> HostReturn:
    """Note that a return is to stop; the invocation that works on it, or the next one, does it."""
    statement = update(returns).where(returns.c.uuid == uuid).values(stopped_by=actor, updated_at=now)
    return records.one(connection, statement.returning(returns), HostReturn)


def hurry(connection: Connection, uuid: str, now: datetime) -> None:
    """Have a return checked at once that nobody works on."""
    connection.execute(update(returns).where(returns.c.uuid == uuid, leases.is_free(returns, now)).values(due_at=now))


def claim(connection: Connection, uuid: str, owner: str, now: datetime, seconds: float) -> HostReturn | None:
    """Take a return that has not ended; None when another invocation has it, or it is over."""
    free = leases.is_free(returns, now)
    taken = update(returns).where(returns.c.uuid == uuid, _IS_OPEN, free).values(**leases.hold(owner, now, seconds))
    return records.first(connection, taken.returning(returns), HostReturn)


def lease(row: HostReturn, seconds: float) -> leases.Lease:
    """Name the lease of a claimed return."""
    assert row.lease_owner is not None
    return leases.Lease(returns, returns.c.uuid, row.uuid, row.lease_owner, seconds)


def unsettled(connection: Connection, host_uuid: HostUuid) -> list[NotificationUuid]:
    """Name the recoveries of a host since a return has last brought it and its instances home, the latest first.

    A failure that was reported while that return was at work belongs to the next one.
    """
    settled = select(func.max(returns.c.begun_at)).where(
        returns.c.host_uuid == host_uuid, returns.c.status == ReturnStatus.FINISHED, returns.c.move_home
    )
    since = settled.scalar_subquery()
    query = select(notifications.c.notification_uuid).where(
        notifications.c.source_host_uuid == host_uuid,
        notifications.c.type == NotificationType.COMPUTE_HOST,
        notifications.c.attempt > 0,
        or_(since.is_(None), notifications.c.created_at > since),
    )
    return list(connection.execute(query.order_by(notifications.c.id.desc())).scalars())


def plan_if_due(connection: Connection, host_uuid: HostUuid, now: datetime) -> None:
    """Have a host return by itself whose recovery has finished, where the policy of its segment says so.

    It waits until the host may serve again. Nothing is done while a return of it is open: its end asks again.
    """
    if connection.execute(_RETURNS_BY_ITSELF, {"host": host_uuid}).first() is not None:
        uuid = str(uuid4())
        create(connection, HostReturn(id=0, uuid=uuid, host_uuid=host_uuid, created_at=now, move_home=True, due_at=now))


def movable(connection: Connection, host_uuid: HostUuid) -> list[VMove]:
    """Read the evacuations from a host that are still the last move of their instances, the first ones first.

    An instance that was evacuated again since, from wherever, has no way home; one that went home needs none. One that
    had to stay when others went home may go now.
    """
    recoveries = select(notifications.c.notification_uuid).where(
        notifications.c.source_host_uuid == host_uuid, notifications.c.type == NotificationType.COMPUTE_HOST
    )
    evacuated = select(moves.c.instance_uuid).where(
        moves.c.notification_uuid.in_(recoveries), moves.c.status == VMoveStatus.SUCCEEDED
    )
    has_moved = moves.c.status == VMoveStatus.SUCCEEDED
    newest = select(func.max(moves.c.id)).where(moves.c.instance_uuid.in_(evacuated), has_moved)
    query = select(moves).where(
        moves.c.id.in_(newest.group_by(moves.c.instance_uuid)),
        moves.c.type == VMoveType.EVACUATION,
        moves.c.notification_uuid.in_(recoveries),
    )
    return vmoves.read(connection, query.order_by(moves.c.position, moves.c.id))


def plan(connection: Connection, evacuated: Iterable[VMove], home: str, now: datetime) -> None:
    """Write a move home for each of these evacuations, of the same notification."""
    rows = [
        {
            "uuid": str(uuid4()),
            "notification_uuid": move.notification_uuid,
            "instance_uuid": move.instance_uuid,
            "instance_name": move.instance_name,
            "source_host": move.dest_host,
            "target_host": home,
            "type": VMoveType.LIVE_MIGRATION,
            "status": VMoveStatus.PENDING,
            "step": VMoveStep.START,
            "attempt": 0,  # of no attempt at a recovery
            "round": _rounds(connection, move.notification_uuid) + 1,
            "position": position,
            "facts": asdict(InstanceFacts()),
            "created_at": now,
        }
        for position, move in enumerate(evacuated)
        if move.dest_host is not None
    ]
    if rows:
        connection.execute(insert(moves), rows)


def _rounds(connection: Connection, notification_uuid: NotificationUuid) -> int:
    query = select(func.max(moves.c.round)).where(
        moves.c.notification_uuid == notification_uuid, moves.c.type == VMoveType.LIVE_MIGRATION
    )
    return connection.execute(query).scalar_one() or 0


def moves_home(connection: Connection, row: HostReturn, home: str) -> list[VMove]:
    """Read the moves of a return, in their order."""
    query = select(moves).where(
        moves.c.type == VMoveType.LIVE_MIGRATION, moves.c.target_host == home, moves.c.created_at >= row.created_at
    )
    return vmoves.read(connection, query.order_by(moves.c.position, moves.c.id))


def begin_move(connection: Connection, move: VMove, last_migration_id: int, now: datetime) -> None:
    """Write down that a move is asked for next."""
    values = {"status": VMoveStatus.ONGOING, "step": VMoveStep.ASKING, "start_time": move.start_time or now}
    values |= {"asked_at": now, "updated_at": now, "last_migration_id": last_migration_id}
    _write(connection, move, values)


def end_move(connection: Connection, move: VMove, status: VMoveStatus, message: str | None, now: datetime) -> None:
    """End a move."""
    values: dict[str, Any] = {"status": status, "message": message, "end_time": now, "updated_at": now}
    if status is VMoveStatus.SUCCEEDED:
        values |= {"dest_host": move.target_host, "moved_at": now}
    _write(connection, move, values)


def _write(connection: Connection, move: VMove, values: Mapping[str, Any]) -> None:
    still = update(moves).where(moves.c.uuid == move.uuid, moves.c.status.in_(OPEN_VMOVE))
    connection.execute(still.values(**values))
