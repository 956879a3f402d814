"""From result rows to the frozen values of ``models.rows``: a record has the fields that its table has columns."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.sql.base import Executable

R = TypeVar("R")


def every(connection: Connection, statement: Executable, record: Callable[..., R]) -> list[R]:
    """Return all rows of a statement as records."""
    return [record(**row._asdict()) for row in connection.execute(statement)]


def first(connection: Connection, statement: Executable, record: Callable[..., R]) -> R | None:
    """Return the first row of a statement as a record; None when there is none."""
    row = connection.execute(statement).first()
    return None if row is None else record(**row._asdict())


def one(connection: Connection, statement: Executable, record: Callable[..., R]) -> R:
    """Return the only row of a statement that always has one."""
    return record(**connection.execute(statement).one()._asdict())
