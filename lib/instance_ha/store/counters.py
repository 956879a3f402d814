"""Counters that outlive the processes which count; each only ever grows."""

from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from instance_ha.models.metric import Values
from instance_ha.store.schema import counters


def add(connection: Connection, increments: Values, now: datetime) -> None:
    """Add to counters, by one statement and always in the same order, so that two of them cannot block each other."""
    rows = [
        {"name": name, "labels": labels, "value": value, "updated_at": now}
        for (name, labels), value in sorted(increments.items())
    ]
    if not rows:
        return
    new = insert(counters).values(rows)
    later = func.greatest(counters.c.updated_at, new.excluded.updated_at)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[counters.c.name, counters.c.labels],
            set_={"value": counters.c.value + new.excluded.value, "updated_at": later},
        )
    )


def read(connection: Connection) -> Values:
    """Read all counters."""
    query = select(counters.c.name, counters.c.labels, counters.c.value)
    return {(row.name, row.labels): row.value for row in connection.execute(query)}


def grown(connection: Connection, name: str) -> dict[str, datetime]:
    """Say when the counters of a name last grew, by their labels."""
    query = select(counters.c.labels, counters.c.updated_at).where(counters.c.name == name)
    return {row.labels: row.updated_at for row in connection.execute(query)}
