"""Takes the recoveries that have ended into the counters, in bounded transactions."""

from sqlalchemy import text

from instance_ha.store import ended
from instance_ha.store.database import Database

PATIENCE = text("SET LOCAL statement_timeout = '8s'")  # Prometheus waits for 10 s
_BATCH = 500


def take_in(database: Database) -> None:
    """Count every ended recovery that is not counted yet, but for those that another invocation counts now.

    Raises:
        StoreUnavailable: Postgres does not answer.

    """
    more, now = True, database.now()
    while more:
        with database.begin() as connection:
            connection.execute(PATIENCE)
            more = ended.count(connection, now, _BATCH) == _BATCH
