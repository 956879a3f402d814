"""``instance-ha db upgrade|version|purge``."""

import argparse
from typing import Any

from sqlalchemy.exc import DBAPIError

from instance_ha import composition
from instance_ha import purge as purging
from instance_ha.command import shell
from instance_ha.decide.purge import AGE_IN_DAYS, MAX_ROWS, PurgeRequest
from instance_ha.models.errors import StoreUnavailable
from instance_ha.settings import load


def register(subparsers: Any) -> None:
    """Add the commands."""
    db = subparsers.add_parser("db", help="the database")
    actions = db.add_subparsers(required=True, metavar="action")
    shell.add(actions, "upgrade", "bring the schema to the version of this code", upgrade, example="db upgrade")
    meaning = "print the revision of the schema"
    shell.add_output(shell.add(actions, "version", meaning, version, example="db version"))
    meaning = "delete rows that ended long ago; archived first where a bucket is set"
    example = "db purge --age-in-days 90"
    purge_parser = shell.add(actions, "purge", meaning, purge, example=example)
    add_purge_options(purge_parser)
    purge_parser.add_argument("--dry-run", "--dry_run", action="store_true", help="count, and delete nothing")
    shell.add_output(purge_parser)


def add_purge_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that Masakari has, in both spellings."""
    age = "purge what ended so many days ago, or earlier (default: %(default)s)"
    parser.add_argument("--age_in_days", "--age-in-days", type=int, default=AGE_IN_DAYS, help=age)
    most = "most rows over all tables, -1: all (default: %(default)s)"
    parser.add_argument("--max_rows", "--max-rows", type=int, default=MAX_ROWS, help=most)


def _url(options: argparse.Namespace) -> str:
    return load(options.environ).database_url.get_secret_value()


def upgrade(options: argparse.Namespace) -> int:
    """Upgrade the schema; safe to run again, and from several places at once."""
    from instance_ha.store import migrate

    try:
        migrate.upgrade(_url(options))
    except DBAPIError as error:
        raise _unavailable(error) from None
    return 0


def version(options: argparse.Namespace) -> int:
    """Print the revision, ``None`` for an empty database."""
    from instance_ha.store import migrate

    try:
        revision = migrate.version(_url(options))
    except DBAPIError as error:
        raise _unavailable(error) from None
    shell.write(options, {"revision": revision, "newest": migrate.newest()}, [str(revision)])
    return 0


def _unavailable(error: DBAPIError) -> StoreUnavailable:
    return StoreUnavailable(f"the database cannot be used: {' '.join(str(error.orig).split())}")


def purge(options: argparse.Namespace) -> int:
    """Purge until nothing is left that may be purged; prints the rows of each table."""
    world = composition.of(options.environ).whole().for_invocation()
    request = PurgeRequest(options.age_in_days, options.max_rows, options.dry_run)
    result = purging.purge(world, request, None)
    lines = [f"{name}: {rows}" for name, rows in result.tables.items()]
    lines.append(f"{'would purge' if request.dry_run else 'purged'} {result.total} rows")
    shell.write(options, {"tables": result.tables, "dry_run": request.dry_run}, lines)
    return 0
