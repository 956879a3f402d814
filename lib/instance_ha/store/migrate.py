"""Brings the schema to the version of this code: ``python -m instance_ha.store.migrate`` upgrades DATABASE_URL."""

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from instance_ha.models.errors import Misconfigured
from instance_ha.settings import load
from instance_ha.store.database import driver_url

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x1A57A0CE  # any number, the same for all of ours: two upgrades at once wait for each other


def upgrade(url: str) -> None:
    """Upgrade to the newest schema; safe to run again, and from several places at once."""
    with _engine(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(connection), "head")


def version(url: str) -> str | None:
    """Return the revision of the schema, None for an empty database."""
    with _engine(url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the revision of the schema that this code is for."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return str(ScriptDirectory.from_config(config).get_current_head())


def _engine(url: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return create_engine(driver_url(url), poolclass=NullPool)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def main() -> None:
    """Upgrade, and print the revision."""
    try:
        url = load(os.environ).database_url.get_secret_value()
    except Misconfigured as error:
        sys.exit(f"instance-ha: {error}")
    upgrade(url)
    sys.stdout.write(f"schema revision {version(url)}\n")


if __name__ == "__main__":
    main()
