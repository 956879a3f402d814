"""How much Postgres looks at: what must not grow with a table."""

from sqlalchemy import Connection, text

_READ = text("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables")


def rows_read(connection: Connection) -> int:
    """Count the rows of all tables that this transaction has read so far."""
    return int(connection.execute(_READ).scalar_one())
