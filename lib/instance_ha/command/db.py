"""``instance-ha db upgrade|version|purge``."""

import argparse
import sys
from typing import Any

from sqlalchemy.exc import DBAPIError

from instance_ha import composition
from instance_ha import purge as purging
from instance_ha.decide.purge import AGE_IN_DAYS, MAX_ROWS, PurgeRequest
from instance_ha.models.errors import StoreUnavailable
from instance_ha.settings import load


def register(subparsers: Any) -> None:
    """Add the commands."""
    db = subparsers.add_parser("db", help="the database")
    actions = db.add_subparsers(required=True, metavar="action")
    upgrade_parser = actions.add_parser("upgrade", help="bring the schema to the version of this code")
    upgrade_parser.set_defaults(run=upgrade)
    actions.add_parser("version", help="print the revision of the schema").set_defaults(run=version)
    purge_parser = actions.add_parser("purge", help="delete rows that ended long ago, archived before if configured")
    add_purge_options(purge_parser)
    purge_parser.add_argument("--dry-run", "--dry_run", action="store_true", help="count, and delete nothing")
    purge_parser.set_defaults(run=purge)


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
        sys.stdout.write(f"{migrate.version(_url(options))}\n")
    except DBAPIError as error:
        raise _unavailable(error) from None
    return 0


def _unavailable(error: DBAPIError) -> StoreUnavailable:
    return StoreUnavailable(f"the database cannot be used: {' '.join(str(error.orig).split())}")


def purge(options: argparse.Namespace) -> int:
    """Purge until nothing is left to purge; prints the rows of each table."""
    world = composition.of(options.environ).whole().for_invocation()
    age, most, dry_run = options.age_in_days, options.max_rows, options.dry_run
    done: dict[str, int] = {}
    while True:
        left = most if most < 1 else most - sum(done.values())
        result = purging.purge(world, PurgeRequest(age, left, dry_run))
        done = {name: done.get(name, 0) + rows for name, rows in result.tables.items()}
        if result.complete or sum(done.values()) == most:
            break
    for name, rows in done.items():
        sys.stdout.write(f"{name}: {rows}\n")
    sys.stdout.write(f"{'would purge' if dry_run else 'purged'} {sum(done.values())} rows\n")
    return 0
