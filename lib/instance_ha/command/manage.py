"""``masakari-manage db sync|version|purge``, for scripts that were written for Masakari."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from instance_ha.command import db, run


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> None:
    """Run a command and exit; the exit codes are those of Masakari."""
    parser = argparse.ArgumentParser(prog="masakari-manage", description="The same as instance-ha db.")
    ignored = "not read: settings come from the environment and from secret files"
    parser.add_argument("--config-file", action="append", help=ignored)
    parser.add_argument("--config-dir", action="append", help=ignored)
    categories = parser.add_subparsers(required=True, metavar="category")
    category = categories.add_parser("db", help="the database")
    category.set_defaults(run=_no_action)
    actions = category.add_subparsers(metavar="action")
    sync = actions.add_parser("sync", help="bring the schema to the version of this code")
    sync.add_argument("version", nargs="?", help="there is only the newest")
    sync.set_defaults(run=_sync)
    actions.add_parser("version", help="print the revision of the schema").set_defaults(run=db.version, output="text")
    purge = actions.add_parser("purge", help="delete rows that ended long ago")
    db.add_purge_options(purge)
    purge.set_defaults(run=db.purge, dry_run=False, output="text")
    sys.exit(run(parser.parse_args(arguments, argparse.Namespace(environ=environ))))


def _sync(options: argparse.Namespace) -> int:
    if options.version is not None:
        sys.stderr.write("db sync upgrades to the newest version only: leave the version out\n")
        return 1
    return db.upgrade(options)


def _no_action(_: argparse.Namespace) -> int:
    sys.stderr.write("db: what to do? sync, version or purge\n")
    return 1
