"""Tells others what happens: events, written to the outbox with the change that they tell of.

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
from instance_ha.models.rows import Host, Notification, Segment
from instance_ha.store import notifications, outbox, segments, vmoves
from instance_ha.world import World

Values = Mapping[str, Any]

_GOOD = frozenset({NotificationStatus.FINISHED, NotificationStatus.IGNORED})


def host(values: Values, segment: Segment) -> Values:
    """Return the values of a host for an event about it: its segment is one of them."""
    from instance_ha.sinks.payloads import FailoverSegment

    shown = vars(segment) | {"deleted": segment.deleted_at is not None}
    return {**values, "failover_segment": FailoverSegment.of(shown)}


def _write(world: World, connection: Connection, event_type: str, subject: str, values: Values) -> None:
    _add(world, connection, _event(world, event_type, subject, values))


def _add(world: World, connection: Connection, event: Event | None) -> None:
    if event is not None:
        outbox.add(connection, [sink.name for sink in world.settings.sinks], [event])


def _event(world: World, event_type: str, subject: str, values: Values) -> Event | None:
    """Make an event; None when we cannot, since no recovery may fail for it."""
    from instance_ha.sinks import envelope

    event_id, now = str(uuid4()), world.clock.now()
    try:
        body = envelope.write(event_type, event_id, world.hostname, now, {"fault": None, **values})
    except ValueError:  # of pydantic: the row is not what the schema promises
        log.get().exception("event not told", event_type=event_type, subject=subject)
        return None
    return Event(event_id=event_id, event_type=event_type, subject=subject, created_at=now, body=body)


def _fault(world: World, error: BaseException) -> Any:
    from instance_ha.sinks.faults import fault

    return fault(error, world.settings.secrets)


class Change:
    """A change that an operator asked for: it has a start, and an end or an error."""

    def __init__(self, world: World, what: str) -> None:
        self._world = world
        self._what = what
        self._begun: Event | None = None
        self._values: Values = {}

    def start(self, connection: Connection, subject: str, values: Values, segment: Segment | None = None) -> None:
        """Tell that it is going to be made; from here on a failure is an error that is told."""
        if self._world.settings.sinks:
            self._values = values if segment is None else host(values, segment)
            self._begun = _event(self._world, f"{self._what}.start", subject, self._values)
            _add(self._world, connection, self._begun)

    def end(self, connection: Connection, values: Values, segment: Segment | None = None) -> None:
        """Tell that it was made."""
        if self._begun is not None:
            shown = values if segment is None else host(values, segment)
            _write(self._world, connection, f"{self._what}.end", self._begun.subject, shown)

    def fail(self, error: Exception) -> None:
        """Tell that it could not be made: its transaction is gone, so in one of its own."""
        if self._begun is None:
            return
        values = {**self._values, "fault": _fault(self._world, error)}
        try:
            with self._world.database.begin() as connection:
                _add(self._world, connection, self._begun)
                _write(self._world, connection, f"{self._what}.error", self._begun.subject, values)
        except TryAgain as trouble:
            log.get().warning("error not told", event_type=f"{self._what}.error", reason=str(trouble))


@contextmanager
def change(world: World, what: str) -> Iterator[Change]:
    """Make a change of ``what``, such as ``segment.create``, inside; to be opened around its transaction."""
    told = Change(world, what)
    try:
        yield told
    except TryAgain:
        raise  # nobody knows whether it was made: then its events were written too, or not
    except Exception as error:
        told.fail(error)
        raise


def host_changed(world: World, connection: Connection, row: Host) -> None:
    """Tell that a recovery has changed a host."""
    if not world.settings.sinks:
        return
    try:
        values = host(vars(row), segments.find(connection, row.failover_segment_id))
    except NotFound:
        return
    for phase in ("start", "end"):
        _write(world, connection, f"host.update.{phase}", row.uuid, values)


def recovery_started(world: World, connection: Connection, row: Notification) -> None:
    """Tell that an attempt at a recovery has begun."""
    if world.settings.sinks:
        _write(world, connection, "notification.process.start", row.notification_uuid, vars(row))


def recovery_ended(world: World, connection: Connection, uuid: str) -> None:
    """Tell how an attempt at a recovery has ended, by what stands in its row now.

    Call it where the error that ended it is being handled, if there is one: it becomes the fault.
    """
    if not world.settings.sinks:
        return
    row = notifications.find(connection, uuid)
    if row.status in _GOOD:
        _write(world, connection, "notification.process.end", row.notification_uuid, vars(row))
        return
    values = vars(row) | {"fault": _fault(world, sys.exception() or RecoveryFailed(row.message or ""))}
    _write(world, connection, "notification.process.error", row.notification_uuid, values)


def monitor_degraded(world: World, reason: str) -> None:
    """Tell that hosts cannot be monitored now, and that no failure is reported for that reason."""
    if world.settings.sinks:
        with world.database.begin() as connection:
            _write(world, connection, "monitor.degraded.error", "hosts", {"reason": reason})


def vmoves_begun(world: World, connection: Connection, uuids: Iterable[str]) -> None:
    """Tell that evacuations have begun."""
    if world.settings.sinks:
        for row in vmoves.by_uuids(connection, uuids):
            _write(world, connection, "vmove.start", row.uuid, vars(row))


def vmoves_ended(world: World, connection: Connection, uuids: Iterable[str]) -> None:
    """Tell how evacuations have ended, by what stands in their rows now."""
    if not world.settings.sinks:
        return
    for row in vmoves.by_uuids(connection, uuids):
        if row.status is not VMoveStatus.FAILED:
            _write(world, connection, "vmove.end", row.uuid, vars(row))
            continue
        values = vars(row) | {"fault": _fault(world, sys.exception() or RecoveryFailed(row.message or ""))}
        _write(world, connection, "vmove.error", row.uuid, values)
