"""What is polled, and when next. A poll is claimed for its time, so two ticks never make the same one."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from instance_ha.store import records
from instance_ha.store.schema import watches

HOSTS = "hosts"


def register(connection: Connection, subjects: Iterable[str], now: datetime) -> None:
    """Have a row for each subject; new ones are due at once."""
    values = [{"subject": subject, "due_at": now} for subject in subjects]
    if values:
        connection.execute(insert(watches).values(values).on_conflict_do_nothing())


def claim(
    connection: Connection, among: Sequence[str], owner: str, now: datetime, seconds: float, limit: int
) -> dict[str, datetime | None]:
    """Take those that are due, the longest overdue first, and say when each was polled last.

    They cannot be claimed again for so many seconds; a poll that takes longer is superseded, and writes nothing.
    """
    due = (
        select(watches.c.subject)
        .where(watches.c.subject.in_(among), watches.c.due_at <= now)
        .order_by(watches.c.due_at, watches.c.subject)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(watches)
        .where(records.chosen(watches.c.subject, due))
        .values(owner=owner, due_at=now + timedelta(seconds=seconds))
        .returning(watches.c.subject, watches.c.polled_at)
    )
    return {row.subject: row.polled_at for row in connection.execute(taken)}


def hold(connection: Connection, subject: str, owner: str) -> bool:
    """Keep a claimed poll from being claimed until the commit; false when another one has superseded it."""
    mine = select(watches.c.subject).where(watches.c.subject == subject, watches.c.owner == owner).with_for_update()
    return connection.execute(mine).first() is not None


def polled(connection: Connection, subject: str, at: datetime, due_at: datetime | None = None) -> None:
    """Remember a complete poll; ``due_at`` if the next one is not due when the claim ends."""
    later = {} if due_at is None else {"due_at": due_at}
    connection.execute(update(watches).where(watches.c.subject == subject).values(polled_at=at, **later))


def next_due(connection: Connection, among: Sequence[str]) -> datetime | None:
    """Say when the next of them is due."""
    query = select(watches.c.due_at).where(watches.c.subject.in_(among)).order_by(watches.c.due_at).limit(1)
    return connection.execute(query).scalar_one_or_none()


def forget(connection: Connection, but: Sequence[str]) -> None:
    """Delete the rows of what is not polled any more."""
    connection.execute(watches.delete().where(watches.c.subject.not_in([HOSTS, *but])))
