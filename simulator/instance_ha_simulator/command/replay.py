"""``instance-ha replay NOTIFICATION``: writes a real recovery down as a scenario folder that one may send around."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from instance_ha.models.errors import Misconfigured
from instance_ha.models.uuids import NotificationUuid
from instance_ha.settings import load
from instance_ha.store.database import Database

from instance_ha_simulator.replay.recording import read
from instance_ha_simulator.replay.story import tell
from instance_ha_simulator.replay.write import write


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Read the rows, and write the folder."""
    options = _parser().parse_args(arguments)
    settings = load(environ)
    database = Database(settings.database_url.get_secret_value())
    try:
        with database.begin() as connection:
            recording = read(connection, NotificationUuid(options.notification))
    finally:
        database.close()
    try:
        write(tell(recording, settings), options.output)
    except OSError as error:
        raise Misconfigured(f"{options.output} cannot be written: {error.strerror}") from None
    sys.stdout.write(f"written: {options.output}; play it: instance-ha simulate {options.output}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="instance-ha replay",
        description="Reads a recovery, and what else was recovered at the same time, from the database, and writes it "
        "down as a scenario folder: no name, uuid, project or time of it is told.",
    )
    parser.add_argument("notification", metavar="NOTIFICATION", help="the uuid of the notification")
    parser.add_argument(
        "--output", metavar="FOLDER", type=Path, default=Path("incident"), help="a new folder (default: %(default)s)"
    )
    return parser
