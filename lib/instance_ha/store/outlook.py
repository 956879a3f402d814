"""What ``sweep`` asks in each of its turns, in one statement: whether anything is due, and when it will be."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Connection, Table, bindparam, func, select

from instance_ha.models.enums import OPEN_NOTIFICATION
from instance_ha.store.schema import notifications, returns, vmoves


@dataclass(frozen=True)
class Outlook:
    """When work is due, by what is known now; None: never."""

    notifications: datetime | None  # the first of all, in the past or not
    vmoves: datetime | None
    returns: datetime | None
    coming: datetime | None  # the next that is not due yet: a lease ends, or work is to be checked again
    oldest_at_work: datetime | None  # since when the time of the oldest counts that an invocation works on

    def due(self, now: datetime) -> frozenset[Table]:
        """Name the tables in which something is due."""
        first = zip(_TABLES, (self.notifications, self.vmoves, self.returns), strict=True)
        return frozenset(table for table, due_at in first if due_at is not None and due_at <= now)


_NOW: BindParameter[datetime] = bindparam("now")
_TABLES = notifications, vmoves, returns
_FIRST = [select(func.min(table.c.due_at)) for table in _TABLES]
_COMING = [select(func.min(table.c.due_at)).where(table.c.due_at > _NOW).scalar_subquery() for table in _TABLES]
_OLDEST = select(func.min(func.greatest(notifications.c.created_at, notifications.c.paused_until))).where(
    notifications.c.due_at.is_not(None),  # as the index has it: so has all that is at work
    notifications.c.lease_until.is_not(None),
    notifications.c.status.in_(OPEN_NOTIFICATION),
)
_OUTLOOK = select(*(query.scalar_subquery() for query in _FIRST), func.least(*_COMING), _OLDEST.scalar_subquery())


def read(connection: Connection, now: datetime) -> Outlook:
    """Read it."""
    row = connection.execute(_OUTLOOK, {"now": now}).one()
    return Outlook(row[0], row[1], row[2], row[3], row[4])
