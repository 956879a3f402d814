"""``/x-instance-ha/returns``: hosts that were recovered serve again, and their instances go home."""

from uuid import uuid4

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.returns import CreateReturn, Return, ReturnEnvelope, ReturnsEnvelope, ReturnsQuery
from instance_ha.models.errors import Conflict
from instance_ha.models.returns import OPEN_RETURN, HostReturn, ReturnPolicy
from instance_ha.models.rows import Host
from instance_ha.models.triggers import RETURN_HOST, Trigger
from instance_ha.store import host_recoveries, hosts, policies, returns


def index(call: Call, asked: ReturnsQuery) -> ReturnsEnvelope:
    """List returns, the newest first."""
    limit = asked.at_most(call.world.settings.osapi_max_limit)
    with call.world.database.begin() as connection:
        of_host = hosts.named(connection, [asked.host])[0].uuid if asked.host is not None else None
        found = returns.page(connection, of_host, asked.marker, limit)
    return ReturnsEnvelope(returns=[Return.model_validate(row) for row in found])


def show(call: Call, _: Nothing) -> ReturnEnvelope:
    """Show the return of a host."""
    with call.world.database.begin() as connection:
        row = returns.find(connection, call.path["return_id"])
    return _envelope(row)


def create(call: Call, asked: CreateReturn) -> ReturnEnvelope:
    """Bring a recovered host back; it waits until the host may serve again, and says for what."""
    assert call.caller is not None
    new, now = asked.return_, call.world.clock.now()
    with emit.change(call.world, "return.create") as change, call.world.database.begin() as connection:
        host = hosts.named(connection, [new.host])[0]
        _check(connection, host)
        made = HostReturn(
            id=0,
            uuid=str(uuid4()),
            created_at=now,
            host_uuid=host.uuid,
            move_home=new.move_home,
            actor=call.caller.actor,
            due_at=now,
        )
        change.start(made.uuid, vars(made))
        row = returns.create(connection, made)
        if row is None:
            raise Conflict(f"host {host.name} is being brought back already")
        change.end(connection, vars(row))
    log.get().warning("return requested", host=host.name, move_home=row.move_home, actor=row.actor)
    call.world.publisher.publish([Trigger(RETURN_HOST, row.uuid, call.request_id)], now)
    return _envelope(row)


def delete(call: Call, _: Nothing) -> None:
    """Stop the return of a host: nothing more begins, what is under way ends as it would, and what was done stays."""
    assert call.caller is not None
    now = call.world.clock.now()
    with emit.change(call.world, "return.delete") as change, call.world.database.begin() as connection:
        row = returns.find(connection, call.path["return_id"], lock=True)
        if row.status not in OPEN_RETURN:
            raise Conflict(f"return {row.uuid} is {row.status}")
        change.start(row.uuid, vars(row))
        row = returns.ask_to_stop(connection, row.uuid, call.caller.actor, now)
        returns.hurry(connection, row.uuid, now)
        change.end(connection, vars(row))
    log.get().warning("return stop requested", return_uuid=row.uuid, actor=row.stopped_by)
    call.world.publisher.publish([Trigger(RETURN_HOST, row.uuid, call.request_id)], now)


def _check(connection: Connection, host: Host) -> None:
    """Refuse what cannot come true.

    Raises:
        Conflict: the policy of the segment says never, or the host was never recovered.

    """
    if policies.of_segment(connection, host.failover_segment_id).returns is ReturnPolicy.NEVER:
        raise Conflict(f"the policy of the segment of host {host.name} says that no host is brought back")
    if host_recoveries.last(connection, host.uuid) is None:
        raise Conflict(f"host {host.name} was never recovered, so there is nothing to bring back")


def _envelope(row: HostReturn) -> ReturnEnvelope:
    return ReturnEnvelope.model_validate({"return": Return.model_validate(row)})


ROUTES = (
    Route(
        "/x-instance-ha/returns",
        {
            "GET": Operation(index, ReturnsEnvelope, ReturnsQuery, "instance-ha:returns:index"),
            "POST": Operation(create, ReturnEnvelope, CreateReturn, "instance-ha:returns:create", 202, (409,)),
        },
    ),
    Route(
        "/x-instance-ha/returns/<return_id>",
        {
            "GET": Operation(show, ReturnEnvelope, Nothing, "instance-ha:returns:detail", 200, (404,)),
            "DELETE": Operation(delete, None, Nothing, "instance-ha:returns:delete", 204, (404, 409)),
        },
    ),
)
