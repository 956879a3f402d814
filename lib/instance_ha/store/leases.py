"""Claims and leases: which invocation may work on a row, and until when.

A claim is one UPDATE that succeeds only while the row's state allows work and its lease is free. The holder
renews the lease while it works; everything it writes names itself as owner, so an invocation that has lost
a row cannot write to it any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    Row,
    Table,
    Update,
    and_,
    bindparam,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.elements import ColumnElement

from instance_ha.models.errors import LeaseLost
from instance_ha.store import records


@dataclass(frozen=True)
class Lease:
    """A row held by one invocation."""

    table: Table
    key: Column[Any]
    value: str
    owner: str
    seconds: float

    def renew(self, connection: Connection, until: datetime, **values: Any) -> None:
        """Hold the row until then, and write ``values`` to it.

        Raises:
            LeaseLost: another invocation has it.

        """
        self.write(connection, lease_until=until, due_at=until, **values)

    def write(self, connection: Connection, **values: Any) -> None:
        """Change the row, if it still is ours.

        Raises:
            LeaseLost: another invocation has it.

        """
        ours = {"our_row": self.value, "our_name": self.owner}
        if connection.execute(_held(self.table, self.key), values | ours).rowcount != 1:
            raise LeaseLost(f"the row of {self.table.name} belongs to another invocation")

    def release(self, connection: Connection, due_at: datetime | None, **values: Any) -> None:
        """Give the row back; it is due again at ``due_at`` (None: never).

        Raises:
            LeaseLost: another invocation has it.

        """
        self.write(connection, due_at=due_at, lease_until=None, lease_owner=None, **values)


@cache
def _held(table: Table, key: Column[Any]) -> Update:
    """Build the most frequent statement of all once."""
    return update(table).where(key == bindparam("our_row"), table.c.lease_owner == bindparam("our_name"))


def is_free(table: Table, now: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """No invocation holds the row, or its lease was not renewed in time."""
    return or_(table.c.lease_until.is_(None), table.c.lease_until <= now)


def hold(owner: str, now: datetime, seconds: float) -> dict[str, Any]:
    """Values that make a row the owner's."""
    until = now + timedelta(seconds=seconds)
    return {"lease_owner": owner, "lease_until": until, "due_at": until}


def take_overdue(
    connection: Connection,
    table: Table,
    now: datetime,
    grace: float,
    limit: int,
    *where: ColumnElement[bool],
    **values: datetime,
) -> Sequence[Row[Any]]:
    """Return rows that were not checked in time, the oldest first; none twice within ``grace``.

    A row whose lease has run out is not left to its own event for ``grace``: there is none.
    When there are more than ``limit``, the longest overdue ones are returned. ``where`` are conditions that are built
    once, and ``values`` what they leave open.
    """
    asked = {"now": now, "late_since": now - timedelta(seconds=grace), "most": limit, **values}
    return sorted(connection.execute(_overdue(table, *where), asked), key=lambda row: row.id)


@cache
def _overdue(table: Table, *where: ColumnElement[bool]) -> ReturningUpdate[Any]:
    now: BindParameter[datetime] = bindparam("now")
    abandoned = and_(table.c.lease_until <= now, table.c.due_at <= table.c.lease_until)
    late = or_(table.c.due_at <= bindparam("late_since"), abandoned)
    overdue = (
        select(table.c.id)
        .where(table.c.due_at <= now, late, is_free(table, now), *where)
        .order_by(table.c.due_at, table.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return update(table).where(records.chosen(table.c.id, overdue)).values(due_at=now).returning(table)
