"""What the database's URL says of TLS reaches libpq."""

import pytest
from instance_ha.models.errors import StoreUnavailable
from instance_ha.store.database import Database
from sqlalchemy import text


def ask(url: str) -> None:
    """Ask Postgres anything."""
    database = Database(url)
    try:
        with database.begin() as connection:
            connection.execute(text("SELECT 1"))
    finally:
        database.close()


@pytest.mark.parametrize("mode", ["require", "verify-full&sslrootcert=system"])
def test_a_postgres_without_tls_is_refused_where_the_url_asks_for_it(database_url: str, mode: str) -> None:
    ask(f"{database_url}?sslmode=prefer")

    with pytest.raises(StoreUnavailable) as refused:
        ask(f"{database_url}?sslmode={mode}")
    assert "server does not support SSL" in str(refused.value.__cause__)
