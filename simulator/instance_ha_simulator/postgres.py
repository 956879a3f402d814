"""The Postgres of a simulation."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool


@dataclass(frozen=True)
class Postgres:
    """A server that tests may fill with databases; `stop` and `start` are None for one that is not ours."""

    url: str
    stop: Callable[[], object] | None = None
    start: Callable[[], object] | None = None

    def run(self, *statements: str) -> None:
        """Run statements outside any transaction."""
        url = make_url(self.url).set(drivername="postgresql+psycopg")
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def named(self, name: str) -> str:
        """Return the URL of one of its databases."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)
