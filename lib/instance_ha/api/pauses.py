"""``/x-instance-ha/pauses``: nothing new begins in a scope until a time."""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.pauses import (
    CreatePause,
    NewPause,
    NewPauseOfHost,
    NewPauseOfSegment,
    PauseEnvelope,
    PausesEnvelope,
    PausesQuery,
)
from instance_ha.api.schemas.pauses import Pause as ShownPause
from instance_ha.models.errors import BadRequest, Conflict, NotFound
from instance_ha.models.gates import Pause, Scope
from instance_ha.models.triggers import Trigger, recovery_of
from instance_ha.models.uuids import HostUuid, SegmentUuid
from instance_ha.store import hosts, pauses, segments

_LONGEST = timedelta(days=7)


def index(call: Call, asked: PausesQuery) -> PausesEnvelope:
    """List pauses, the newest first."""
    limit = asked.at_most(call.world.settings.osapi_max_limit)
    active_at = call.world.clock.now() if asked.active else None
    with call.world.database.begin() as connection:
        found = pauses.page(connection, asked.marker, limit, active_at)
    return PausesEnvelope(pauses=[ShownPause.model_validate(row) for row in found])


def create(call: Call, asked: CreatePause) -> PauseEnvelope:
    """Begin a pause; what has begun already ends as it would."""
    assert call.caller is not None
    new, now = asked.pause, call.world.clock.now()
    _check_end(new.until, now)
    with emit.change(call.world, "pause.create") as change, call.world.database.begin() as connection:
        segment_uuid, host_uuid = _scope(connection, new)
        pause = Pause(
            uuid=str(uuid4()),
            created_at=now,
            scope=Scope(new.scope),
            segment_uuid=segment_uuid,
            host_uuid=host_uuid,
            reason=new.reason,
            until=new.until,
            actor=call.caller.actor,
        )
        change.start(pause.uuid, vars(pause))
        row = pauses.create(connection, pause)
        change.end(connection, vars(row))
    log.get().warning("pause begun", scope=str(row.scope), until=str(row.until), reason=row.reason, actor=row.actor)
    return PauseEnvelope(pause=ShownPause.model_validate(row))


def delete(call: Call, _: Nothing) -> None:
    """End a pause before its time; recoveries that it holds go on at once."""
    assert call.caller is not None
    now = call.world.clock.now()
    with emit.change(call.world, "pause.delete") as change, call.world.database.begin() as connection:
        pause = pauses.find(connection, call.path["pause_id"])
        if pause.ended_at is not None or pause.until <= now:
            raise Conflict(f"pause {pause.uuid} has ended")
        change.start(pause.uuid, vars(pause))
        row = pauses.end(connection, pause, call.caller.actor, now)
        held = pauses.held_by(connection, row)
        change.end(connection, vars(row))
    log.get().warning("pause ended", scope=str(row.scope), reason=row.reason, actor=row.ended_by)
    triggers = [Trigger(recovery_of(one.type), one.notification_uuid, call.request_id) for one in held]
    call.world.publisher.publish(triggers, now)


def _check_end(until: datetime, now: datetime) -> None:
    if not now < until <= now + _LONGEST:
        raise BadRequest(f"until must be a time within the {_LONGEST.days} days from now")


def _scope(connection: Connection, new: NewPause) -> tuple[SegmentUuid | None, HostUuid | None]:
    """Find what a pause is to be about.

    Raises:
        BadRequest: it is not there.

    """
    if isinstance(new, NewPauseOfSegment):
        try:
            return segments.find(connection, SegmentUuid(new.segment_uuid)).uuid, None
        except NotFound as error:
            raise BadRequest(str(error)) from None
    if isinstance(new, NewPauseOfHost):
        return None, hosts.named(connection, [new.host])[0].uuid
    return None, None


ROUTES = (
    Route(
        "/x-instance-ha/pauses",
        {
            "GET": Operation(index, PausesEnvelope, PausesQuery, "instance-ha:pauses:index"),
            "POST": Operation(create, PauseEnvelope, CreatePause, "instance-ha:pauses:create", 201),
        },
    ),
    Route(
        "/x-instance-ha/pauses/<pause_id>",
        {"DELETE": Operation(delete, None, Nothing, "instance-ha:pauses:delete", 204, (404, 409))},
    ),
)
