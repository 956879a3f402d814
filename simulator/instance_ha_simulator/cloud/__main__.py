"""`python -m instance_ha_simulator.cloud`: serve a simulated cloud on 127.0.0.1."""

import argparse
import logging
import os
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path

from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.clouds import clouds_yaml
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.cloud.server import LoopbackServer

log = logging.getLogger("sim")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m instance_ha_simulator.cloud", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--hosts", type=int, default=0, metavar="N", help="start with compute1 … computeN")
    parser.add_argument("--clouds-yaml", type=Path, metavar="FILE", help="write a clouds.yaml there")
    for field in fields(CloudOptions):
        if field.default is MISSING:
            continue
        parser.add_argument(
            "--" + field.name.replace("_", "-"), type=_kind(field.name, field.default), default=field.default
        )
    return parser


def _kind(name: str, default: object) -> Callable[[str], object]:
    """Return how an option is read."""
    if isinstance(default, bool):
        return lambda text: text.lower() in ("1", "true", "yes")
    if isinstance(default, tuple):
        return lambda text: tuple(text.split(","))
    return int if isinstance(default, int) or name == "capacity" else type(default or "")


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    given = vars(_parser().parse_args(arguments))
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    options = CloudOptions(**{field.name: given[field.name] for field in fields(CloudOptions)})
    cloud = Cloud(RealClock(), options)
    for number in range(1, given["hosts"] + 1):
        cloud.add_host(f"compute{number}")
    server = LoopbackServer(create_app(cloud), given["port"], given["threads"])
    if given["clouds_yaml"] is not None:
        write_private(given["clouds_yaml"], clouds_yaml(cloud, server.url))
    log.info("listening on %s", server.url)
    server.run()


def write_private(path: Path, text: str) -> None:
    """Write a file that holds passwords: only its owner may read it."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


if __name__ == "__main__":
    main()
