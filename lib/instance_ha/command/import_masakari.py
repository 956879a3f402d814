"""``instance-ha import``: copies segments, hosts and history from the database of an existing Masakari."""

import argparse
from pathlib import Path
from typing import Any

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.importing import source
from instance_ha.importing.copying import Import
from instance_ha.models.errors import Misconfigured


def register(subparsers: Any) -> None:
    """Add the command."""
    meaning = "copy segments, hosts and history from Masakari's own database"
    codes, example = (
        {2: "rows were in conflict and were not imported, or wrong arguments"},
        "import --from @/root/old-url --dry-run",
    )
    parser = shell.add(subparsers, "import", meaning, run, example=example, codes=codes)
    where = "URL of the old database (`connection` of masakari.conf), or @FILE: a file that holds it"
    parser.add_argument("--from", dest="address", required=True, metavar="URL", help=where)
    parser.add_argument("--dry-run", action="store_true", help="print what would be copied, and write nothing")
    parser.add_argument("--force", action="store_true", help="import although the old engine is recovering something")
    shell.add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Import, and print a summary; 2 when there were conflicts."""
    address = _address(options.address)
    world = composition.of(options.environ).whole()
    with source.opened(address) as old:
        summary = Import(world, old, dry_run=options.dry_run, force=options.force).run()
    end = "Nothing was written: a dry run." if options.dry_run else "Imported."
    values = {"tables": summary.tables(source.TABLES), "reasons": summary.named(), "dry_run": options.dry_run}
    shell.write(options, values, [*summary.lines(source.TABLES), end])
    return 2 if summary.total("conflict") else 0


def _address(given: str) -> str:
    """Read the URL from a file, so that its password stands in no list of processes."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the URL of the old database cannot be read from {given[1:]}: {error}") from None
