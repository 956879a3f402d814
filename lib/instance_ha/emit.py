"""Events for others about what happens, written to the outbox with the change that they are about.

Without sinks in the settings nothing is written, read or imported here.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from instance_ha import log
from instance_ha.models.enums import NotificationStatus, VMoveStatus
from instance_ha.models.errors import NotFound, RecoveryFailed, TryAgain
from instance_ha.models.events import Event
from instance_ha.models.returns import ReturnStatus
from instance_ha.models.rows import Host, Notification, Segment, VMove
from instance_ha.models.uuids import NotificationUuid, SegmentUuid
from instance_ha.store import notifications, outbox, readiness, returns, segments, vmoves
from instance_ha.world import World

Values = Mapping[str, Any]

_GOOD = frozenset({NotificationStatus.FINISHED, NotificationStatus.IGNORED})


def host(values: Values, segment: Segment) -> Values:
    """Return the values of a host for an event about it: its segment is one of them."""
    from instance_ha.sinks.payloads import FailoverSegment

    return {
        **values,
        "failover_segment": FailoverSegment.of({**vars(segment), "deleted": segment.deleted_at is not None}),
    }


def _event(
    world: World, event_type: str, subject: str, values: Values, error: BaseException | None = None
) -> Event | None:
    """Make an event; None when that fails, since no recovery may fail for it."""
    from instance_ha.sinks import envelope
    from instance_ha.sinks.faults import fault

    event_id, now = str(uuid4()), world.clock.now()
    values = {**values, "fault": fault(error) if error is not None else None}
    try:
        body = envelope.write(event_type, event_id, world.hostname, now, values)
    except ValueError:  # of pydantic: the row is not what the schema promises
        log.get().exception("event not written", event_type=event_type, subject=subject)
        return None
    return Event(event_id=event_id, event_type=event_type, subject=subject, created_at=now, body=body)


def _write(world: World, connection: Connection, *events: Event | None) -> None:
    outbox.add(connection, [sink.name for sink in world.settings.sinks], [event for event in events if event])


class Change:
    """A change that an operator asked for: it has a start, and an end or an error."""

    def __init__(self, world: World, what: str) -> None:
        self._world = world
        self._what = what
        self._started: Event | None = None
        self._values: Values = {}

    def start(self, subject: str, values: Values, segment: Segment | None = None) -> None:
        """Say that it is going to be made, which is written with its end; from here on a failure is an event too."""
        if self._world.settings.sinks:
            self._values = values if segment is None else host(values, segment)
            self._started = _event(self._world, f"{self._what}.start", subject, self._values)

    def end(self, connection: Connection, values: Values, segment: Segment | None = None) -> None:
        """Write that it was made."""
        if self._started is not None:
            shown = values if segment is None else host(values, segment)
            ended = _event(self._world, f"{self._what}.end", self._started.subject, shown)
            _write(self._world, connection, self._started, ended)

    def fail(self, error: Exception) -> None:
        """Write that it could not be made: its transaction was rolled back, so in one of its own."""
        if self._started is None:
            return
        event_type = f"{self._what}.error"
        try:
            with self._world.database.begin() as connection:
                failed = _event(self._world, event_type, self._started.subject, self._values, error)
                _write(self._world, connection, self._started, failed)
        except TryAgain as trouble:
            log.get().warning("event not written", event_type=event_type, reason=str(trouble))


@contextmanager
def change(world: World, what: str) -> Iterator[Change]:
    """Make a change of ``what``, such as ``segment.create``, inside; to be opened around its transaction."""
    made = Change(world, what)
    try:
        yield made
    except TryAgain:
        raise  # it is unknown whether it was made: then its events were written too, or not
    except Exception as error:
        made.fail(error)
        raise


def host_changed(world: World, connection: Connection, row: Host) -> None:
    """Write that a recovery has changed a host."""
    if not world.settings.sinks:
        return
    try:
        values = host(vars(row), segments.find(connection, row.failover_segment_id))
    except NotFound:
        return
    _write(world, connection, *(_event(world, f"host.update.{phase}", row.uuid, values) for phase in ("start", "end")))


def recovery_started(world: World, connection: Connection, row: Notification) -> None:
    """Write that an attempt at a recovery has begun."""
    if world.settings.sinks:
        _write(world, connection, _event(world, "notification.process.start", row.notification_uuid, vars(row)))


def recovery_ended(world: World, connection: Connection, uuid: NotificationUuid) -> None:
    """Write how an attempt at a recovery has ended, by what stands in its row now.

    Call it where the error that ended it is being handled, if there is one: it becomes the fault.
    """
    if not world.settings.sinks:
        return
    row = notifications.find(connection, uuid)
    error = None if row.status in _GOOD else sys.exception() or RecoveryFailed(row.message or "")
    event_type = f"notification.process.{'error' if error else 'end'}"
    _write(world, connection, _event(world, event_type, row.notification_uuid, vars(row), error))


def recovery_held(world: World, connection: Connection, uuid: NotificationUuid) -> None:
    """Write that a recovery is held, by what stands in its row now."""
    _write_hold(world, connection, uuid, "start")


def recovery_released(world: World, connection: Connection, uuid: NotificationUuid) -> None:
    """Write that a recovery is not held any more."""
    _write_hold(world, connection, uuid, "end")


def _write_hold(world: World, connection: Connection, uuid: NotificationUuid, phase: str) -> None:
    if world.settings.sinks:
        row = notifications.find(connection, uuid)
        _write(world, connection, _event(world, f"notification.hold.{phase}", row.notification_uuid, vars(row)))


def return_begun(world: World, connection: Connection, uuid: str) -> None:
    """Write that a host returns."""
    if world.settings.sinks:
        row = returns.find(connection, uuid)
        _write(world, connection, _event(world, "return.process.start", row.uuid, vars(row)))


def return_ended(world: World, connection: Connection, uuid: str) -> None:
    """Write how the return of a host has ended, by what stands in its row now."""
    if world.settings.sinks:
        row = returns.find(connection, uuid)
        error = RecoveryFailed(row.message or "") if row.status is ReturnStatus.FAILED else None
        event_type = f"return.process.{'error' if error else 'end'}"
        _write(world, connection, _event(world, event_type, row.uuid, vars(row), error))


def readiness_changed(world: World, connection: Connection, uuid: SegmentUuid) -> None:
    """Write that a segment is less ready than it is promised to be, or is so again, by what stands in its row now."""
    if world.settings.sinks:
        for row in readiness.stored(connection, uuid):  # one at most
            error = RecoveryFailed(row.trouble) if row.trouble is not None else None
            event_type = f"readiness.check.{'error' if error else 'end'}"
            _write(world, connection, _event(world, event_type, uuid, vars(row), error))


def monitor_degraded(world: World, reason: str) -> None:
    """Write that the state of the hosts is not known now, and that no failure is reported for that reason."""
    if world.settings.sinks:
        with world.database.begin() as connection:
            _write(world, connection, _event(world, "monitor.degraded.error", "hosts", {"reason": reason}))


def vmoves_begun(world: World, connection: Connection, uuids: Iterable[str]) -> None:
    """Write that evacuations have begun."""
    if world.settings.sinks:
        rows = vmoves.by_uuids(connection, uuids)
        _write(world, connection, *(_event(world, "vmove.start", row.uuid, vars(row)) for row in rows))


def vmoves_ended(world: World, connection: Connection, uuids: Iterable[str]) -> None:
    """Write how evacuations have ended, by what stands in their rows now."""
    if not world.settings.sinks:
        return
    _write(world, connection, *(_vmove_ended(world, row) for row in vmoves.by_uuids(connection, uuids)))


def _vmove_ended(world: World, row: VMove) -> Event | None:
    failed = row.status is VMoveStatus.FAILED
    error = sys.exception() or RecoveryFailed(row.message or "") if failed else None
    return _event(world, f"vmove.{'error' if error else 'end'}", row.uuid, vars(row), error)
