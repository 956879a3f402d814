"""The outbox: events, written with the change that they are about, sent later by ``relay``.

The invocation that serves a sink holds its row in ``outbox_sinks``, so the messages of one sink are sent by one
invocation at a time, and in order. A message that its sink refuses keeps back the later ones about the same thing, and
no others: it waits until it is due, and they wait until it has ended. What waits stands in the way of nothing: the next
messages are found by a look at few others, however many there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    RowMapping,
    Select,
    String,
    and_,
    cast,
    func,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.sql.elements import ColumnElement

from instance_ha.models.events import OPEN_MESSAGE, Event, Message, OutboxState
from instance_ha.store import bulk, leases, records
from instance_ha.store.schema import outbox, sinks

_EVENT = ("event_id", "event_type", "subject", "created_at", "body")
_MOST = 10_000  # messages that one statement gives up, so that it ends in time
_ADD = bulk.insert_new(outbox, (*_EVENT, "sink"))
_FOLLOWERS = 50  # of those that wait, how many go on behind one that has ended: that one may be refused like the last


def add(connection: Connection, names: Sequence[str], events: Iterable[Event]) -> None:
    """Write events for each sink; what is there already is not written again."""
    if rows := [bulk.row(event) | {"sink": name} for event in events for name in names]:
        connection.execute(_ADD, {"rows": rows})


def register(connection: Connection, names: Sequence[str]) -> None:
    """Have a row for each sink."""
    connection.execute(insert(sinks).on_conflict_do_nothing(), [{"name": name} for name in names])


def _first(order: Sequence[Column[Any]], begin: Sequence[Any], limit: int) -> Select[Any]:
    """Choose the first rows that begin so, in the order of an index; which rows it has, is still to be said.

    Asked for equal ones, Postgres may read the whole table where it expects to meet some soon: it does not know that
    all old ones are sent. Asked for those between two equal limits, it has no other way than this index.
    """
    known, limits = tuple_(*order[: len(begin)]), tuple_(*begin)
    found = select(outbox).where(known >= limits, known <= limits)
    return found.order_by(*order).limit(limit).correlate_except(outbox)


def _fresh(sink: str, limit: int) -> Select[Any]:
    """Choose what a sink has neither refused nor kept back, the oldest first."""
    order = outbox.c.sink, outbox.c.id
    return _first(order, [sink], limit).where(outbox.c.state == OutboxState.PENDING)


def _again(sink: str, now: datetime, limit: int) -> Select[Any]:
    """Choose what a sink has refused and is due, the longest first."""
    return _first((outbox.c.sink, outbox.c.due_at), [sink], limit).where(outbox.c.due_at <= now)


def _waiting(sink: str, subject: ColumnElement[str], limit: int) -> Select[Any]:
    """Choose what of a thing waits, the oldest first."""
    order = outbox.c.sink, outbox.c.subject, outbox.c.id
    return _first(order, [sink, subject], limit).where(outbox.c.state == OutboxState.WAITING)


def claim(connection: Connection, sink: str, owner: str, now: datetime, seconds: float) -> RowMapping | None:
    """Take a sink for which something waits; None when nothing does, another serves it, or its next try is later."""
    statement = (
        update(sinks)
        .where(
            sinks.c.name == sink,
            leases.is_free(sinks, now),
            or_(sinks.c.due_at.is_(None), sinks.c.due_at <= now),
            or_(_fresh(sink, 1).exists(), _again(sink, now, 1).exists()),
        )
        .values(**leases.hold(owner, now, seconds))
        .returning(sinks)
    )
    return connection.execute(statement).mappings().first()


def lease(sink: str, owner: str, seconds: float) -> leases.Lease:
    """Name the lease of a claimed sink."""
    return leases.Lease(sinks, sinks.c.name, sink, owner, seconds)


def batch(connection: Connection, sink: str, now: datetime, limit: int) -> list[Message]:
    """Read the next messages of a sink, the oldest first; those among them that are kept back wait from now on."""
    while rows := connection.execute(_next(sink, now, limit)).mappings().all():
        if kept_back := [row["id"] for row in rows if row["kept_back"]]:
            mine = update(outbox).where(outbox.c.id.in_(kept_back))
            connection.execute(mine.values(state=OutboxState.WAITING, due_at=None))
        if len(kept_back) < len(rows):
            return [_message(row) for row in rows if not row["kept_back"]]
    return []


def _message(row: RowMapping) -> Message:
    return Message(id=row["id"], event=Event(**{name: row[name] for name in _EVENT}), tries=row["tries"])


def _next(sink: str, now: datetime, limit: int) -> Select[Any]:
    """Choose what may be sent next; ``kept_back`` is what waits for an earlier one about the same thing."""
    found = union_all(_fresh(sink, limit), _again(sink, now, limit)).subquery()
    oldest = select(found).order_by(found.c.id).limit(limit).subquery()
    first = _waiting(sink, oldest.c.subject, 1).lateral()
    return select(oldest, (first.c.id < oldest.c.id).label("kept_back")).outerjoin(first, true()).order_by(oldest.c.id)


def sent(connection: Connection, sink: str, ids: Sequence[int], now: datetime) -> None:
    """Write down what a sink has taken."""
    if ids:
        _finish(connection, sink, outbox.c.id.in_(ids), OutboxState.SENT, None, now)


def refused(connection: Connection, message: Message, reason: str, due_at: datetime) -> None:
    """Write down that a sink refused a message; it is sent again at ``due_at``."""
    values = {"state": OutboxState.WAITING, "tries": message.tries + 1, "reason": reason, "due_at": due_at}
    connection.execute(update(outbox).where(outbox.c.id == message.id).values(**values))


def dead_letter(connection: Connection, sink: str, message: Message, reason: str, now: datetime) -> None:
    """Give a message up."""
    _finish(connection, sink, outbox.c.id == message.id, OutboxState.DEAD, reason, now)


def dead_letter_older(connection: Connection, sink: str, than: datetime, reason: str | None, now: datetime) -> int:
    """Give up what has waited for a sink for too long, or much of it; returns how many."""
    oldest = _first((outbox.c.sink, outbox.c.created_at), [sink], _MOST)
    old = oldest.where(outbox.c.done_at.is_(None), outbox.c.created_at < than).with_only_columns(outbox.c.id)
    return _finish(connection, sink, records.chosen(outbox.c.id, old), OutboxState.DEAD, reason, now)


def dead_letter_unknown_sinks(connection: Connection, names: Sequence[str], than: datetime, now: datetime) -> int:
    """Give up what has waited for a sink that is no longer in the settings; returns how many."""
    reason = "the sink is not in the settings any more"
    gone = [sink for sink in _known(connection) if sink not in names]
    return sum(dead_letter_older(connection, sink, than, reason, now) for sink in gone)


def _known(connection: Connection) -> Iterator[str]:
    """Name all sinks for which something waits, reading little of it."""
    name: str | None = ""
    while name is not None:
        later = select(func.min(outbox.c.sink)).where(outbox.c.done_at.is_(None), outbox.c.sink > name)
        if (name := connection.execute(later).scalar_one()) is not None:
            yield name


def _finish(
    connection: Connection, sink: str, which: ColumnElement[bool], state: OutboxState, reason: str | None, now: datetime
) -> int:
    """End messages to a sink, and let those go on that waited for them; returns how many have ended."""
    values: dict[str, Any] = {"state": state, "done_at": now, "due_at": None, "reason": reason}
    mine = update(outbox).where(which, outbox.c.state.in_(OPEN_MESSAGE)).values(**values, tries=outbox.c.tries + 1)
    subjects = connection.execute(mine.returning(outbox.c.subject)).scalars().all()
    _go_on(connection, sink, set(subjects))
    return len(subjects)


def _go_on(connection: Connection, sink: str, subjects: Iterable[str]) -> None:
    """Let the next messages about some things be sent that were kept back."""
    each = func.unnest(cast(list(subjects), ARRAY(String))).table_valued("subject").render_derived()
    kept_back = _waiting(sink, each.c.subject, _FOLLOWERS).where(outbox.c.due_at.is_(None)).lateral()
    going = select(kept_back.c.id).select_from(each).join(kept_back, true())
    connection.execute(update(outbox).where(records.chosen(outbox.c.id, going)).values(state=OutboxState.PENDING))


def resend(connection: Connection, sink: str | None, now: datetime) -> int:
    """Have the dead letters sent again, of one sink or of all; returns how many."""
    which = outbox.c.state == OutboxState.DEAD
    if sink is not None:
        which = and_(which, outbox.c.sink == sink)
    values = {"state": OutboxState.PENDING, "done_at": None, "tries": 0}
    count = connection.execute(update(outbox).where(which).values(**values)).rowcount
    rest = update(sinks).values(due_at=None, failing_since=None, tries=0).where(sinks.c.lease_owner.is_(None))
    connection.execute(rest if sink is None else rest.where(sinks.c.name == sink))
    return count


def counts(connection: Connection) -> list[tuple[str, str, int]]:
    """Count messages by sink and state, but for those that were sent."""
    left = or_(outbox.c.done_at.is_(None), outbox.c.state == OutboxState.DEAD)
    query = select(outbox.c.sink, outbox.c.state, func.count()).where(left)
    found = connection.execute(query.group_by(outbox.c.sink, outbox.c.state).order_by(outbox.c.sink, outbox.c.state))
    return [(sink, state, count) for sink, state, count in found]
