"""What the columns of tables are made of."""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Enum,
    Identity,
    Integer,
    MetaData,
    String,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from instance_ha.models.enums import OPEN_NOTIFICATION
from instance_ha.models.gates import Gate

metadata = MetaData()
Time = DateTime(timezone=True)


def row() -> list[Column[Any]]:
    """Columns of a row that users see, as OpenStack's own tables have them."""
    return [
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("created_at", Time, nullable=False),
        Column("updated_at", Time),
        Column("deleted_at", Time),
    ]


def work() -> list[Column[Any]]:
    """Columns of a row that is worked on; a lease is a promise to check it again before it ends."""
    return [
        Column("attempt", Integer, nullable=False, server_default="0"),
        Column("tries", Integer, nullable=False, server_default="0"),
        Column("due_at", Time),
        Column("lease_until", Time),
        Column("lease_owner", String(36)),
    ]


def _values(members: type[StrEnum]) -> list[str]:
    return [member.value for member in members]


def enum(name: str, kind: type[StrEnum], **about: Any) -> Column[Any]:
    """Make a column that holds the values of an enum and is read as its members; Postgres refuses any other text."""
    values = Enum(
        kind,
        name=f"{name}_known",
        length=36,
        native_enum=False,
        create_constraint=True,
        values_callable=_values,
    )
    return Column(name, values, **{"nullable": False} | about)


GATES = ARRAY(Enum(Gate, native_enum=False, length=36, values_callable=_values), as_tuple=True)
LIVE = text("deleted_at IS NULL")
# For `in_`: written out, so that Postgres sees which index has such rows also in a statement that it has prepared.
OPEN: list[ColumnElement[Any]] = [literal_column(f"'{status}'") for status in sorted(OPEN_NOTIFICATION)]
