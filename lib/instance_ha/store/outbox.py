"""The outbox: events, written with the change that they are about, sent later by ``relay``.

The invocation that serves a sink holds its row in ``outbox_sinks``, so the messages of one sink are sent by one
invocation at a time, and in order. A message that its sink refuses keeps back the later ones about the same thing, and
no others.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from instance_ha.models.events import Event, Message, OutboxState
from instance_ha.store import leases
from instance_ha.store.schema import outbox, sinks

_EVENT = ("event_id", "event_type", "subject", "created_at", "body")


def add(connection: Connection, names: Iterable[str], events: Iterable[Event]) -> None:
    """Write events for each sink; what is there already is not written again."""
    values = [
        {
            **{field: getattr(event, field) for field in _EVENT},
            "sink": name,
            "due_at": event.created_at,
        }
        for event in events
        for name in names
    ]
    if values:
        connection.execute(insert(outbox).on_conflict_do_nothing(), values)


def register(connection: Connection, names: Sequence[str]) -> None:
    """Have a row for each sink."""
    connection.execute(insert(sinks).on_conflict_do_nothing(), [{"name": name} for name in names])


def _waiting(sink: ColumnElement[str] | str, now: datetime) -> ColumnElement[bool]:
    """Hold for what can be sent to a sink: due, and nothing earlier about the same thing waits for its next try."""
    earlier = outbox.alias("earlier")
    kept_back = (
        select(earlier.c.id)
        .where(
            earlier.c.sink == outbox.c.sink,
            earlier.c.subject == outbox.c.subject,
            earlier.c.state == OutboxState.PENDING,
            earlier.c.id < outbox.c.id,
            earlier.c.due_at > now,
        )
        .exists()
    )
    return and_(outbox.c.sink == sink, outbox.c.state == OutboxState.PENDING, outbox.c.due_at <= now, ~kept_back)


def claim(connection: Connection, sink: str, owner: str, now: datetime, seconds: float) -> RowMapping | None:
    """Take a sink for which something waits; None when nothing does, another serves it, or its next try is later."""
    statement = (
        update(sinks)
        .where(
            sinks.c.name == sink,
            leases.is_free(sinks, now),
            or_(sinks.c.due_at.is_(None), sinks.c.due_at <= now),
            select(outbox.c.id).where(_waiting(sink, now)).exists(),
        )
        .values(**leases.hold(owner, now, seconds))
        .returning(sinks)
    )
    return connection.execute(statement).mappings().first()


def lease(sink: str, owner: str, seconds: float) -> leases.Lease:
    """Name the lease of a claimed sink."""
    return leases.Lease(sinks, sinks.c.name, sink, owner, seconds)


def batch(connection: Connection, sink: str, now: datetime, limit: int) -> list[Message]:
    """Read the next messages of a sink, the oldest first."""
    query = select(outbox).where(_waiting(sink, now)).order_by(outbox.c.id).limit(limit)
    return [
        Message(id=row["id"], event=Event(**{name: row[name] for name in _EVENT}), tries=row["tries"])
        for row in connection.execute(query).mappings()
    ]


def sent(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Write down what a sink has taken."""
    if ids:
        _finish(connection, outbox.c.id.in_(ids), OutboxState.SENT, None, now)


def refused(connection: Connection, message: Message, reason: str, due_at: datetime) -> None:
    """Write down that a sink refused a message; it is sent again at ``due_at``."""
    values = {"tries": message.tries + 1, "reason": reason, "due_at": due_at}
    connection.execute(update(outbox).where(outbox.c.id == message.id).values(**values))


def dead_letter(connection: Connection, message: Message, reason: str, now: datetime) -> None:
    """Give a message up."""
    _finish(connection, outbox.c.id == message.id, OutboxState.DEAD, reason, now)


def dead_letter_older(connection: Connection, sink: str, than: datetime, reason: str | None, now: datetime) -> int:
    """Give up what has waited for a sink for too long; returns how many."""
    return _finish(connection, and_(outbox.c.sink == sink, outbox.c.created_at < than), OutboxState.DEAD, reason, now)


def dead_letter_unknown_sinks(connection: Connection, names: Sequence[str], than: datetime, now: datetime) -> int:
    """Give up what has waited for a sink that is no longer in the settings; returns how many."""
    gone = and_(outbox.c.sink.not_in(names), outbox.c.created_at < than)
    return _finish(connection, gone, OutboxState.DEAD, "the sink is not in the settings any more", now)


def _finish(
    connection: Connection, which: ColumnElement[bool], state: OutboxState, reason: str | None, now: datetime
) -> int:
    values: dict[str, Any] = {"state": state, "done_at": now, "due_at": None, "reason": reason}
    mine = update(outbox).where(which, outbox.c.state == OutboxState.PENDING)
    return connection.execute(mine.values(**values, tries=outbox.c.tries + 1)).rowcount


def resend(connection: Connection, sink: str | None, now: datetime) -> int:
    """Have the dead letters sent again, of one sink or of all; returns how many."""
    which = outbox.c.state == OutboxState.DEAD
    if sink is not None:
        which = and_(which, outbox.c.sink == sink)
    values = {"state": OutboxState.PENDING, "done_at": None, "due_at": now, "tries": 0}
    count = connection.execute(update(outbox).where(which).values(**values)).rowcount
    rest = update(sinks).values(due_at=None, failing_since=None, tries=0).where(sinks.c.lease_owner.is_(None))
    connection.execute(rest if sink is None else rest.where(sinks.c.name == sink))
    return count


def counts(connection: Connection) -> list[tuple[str, str, int]]:
    """Count messages by sink and state, but for those that were sent."""
    query = select(outbox.c.sink, outbox.c.state, func.count()).where(outbox.c.state != OutboxState.SENT)
    found = connection.execute(query.group_by(outbox.c.sink, outbox.c.state).order_by(outbox.c.sink, outbox.c.state))
    return [(sink, state, count) for sink, state, count in found]
