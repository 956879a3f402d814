"""The Postgres of a simulation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url


@dataclass(frozen=True)
class Postgres:
    """A server that tests may fill with databases; `stop` and `start` are None for one that is not ours."""

    url: str
    stop: Callable[[], object] | None = None
    start: Callable[[], object] | None = None
    socket: Path | None = None  # the folder of its socket

    def run(self, *statements: str) -> None:
        """Run statements outside any transaction; raises psycopg.Error."""
        with self.connected() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def connected(self, name: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect to one of its databases, without transactions; raises psycopg.Error."""
        url = make_url(self.named(name) if name else self.url).set(drivername="postgresql")
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def copy(self, template: str, name: str) -> None:
        """Make a database as a copy of another one; of one as small as ours files are copied faster than pages."""
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")

    def drop(self, name: str) -> None:
        """Remove a database, whatever connections it has."""
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def named(self, name: str) -> str:
        """Return the URL of one of its databases."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def nearest(self, url: str) -> str:
        """Return the URL of one of its databases over its socket, if it has one: an answer takes less time."""
        if self.socket is None:
            return url
        given = make_url(url)
        near = given.set(host="", port=None, query={"host": str(self.socket), "port": str(given.port)})
        return near.render_as_string(hide_password=False)
