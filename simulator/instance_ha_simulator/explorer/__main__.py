"""`make explore`: plays new seeds for some minutes, and keeps each that breaks a promise as a small scenario folder."""

import argparse
import multiprocessing
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from instance_ha.store import migrate

from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.explorer.explore import explore, explore_seed
from instance_ha_simulator.explorer.play import set_stage
from instance_ha_simulator.explorer.troubles import KINDS
from instance_ha_simulator.explorer.worker import work
from instance_ha_simulator.files import temporary_state_dir
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario


def main() -> int:
    """Return 1 if a promise was broken."""
    options = _options()
    keep = options.keep or Path(mkdtemp(prefix="explored-"))
    keep.mkdir(parents=True, exist_ok=True)
    count = 1 if options.folders or options.schedules else options.processes
    with temporary_state_dir() as folder, EmbeddedPostgres(folder, durable=False) as server:
        postgres = Postgres(server.dsn, socket=server.socket)
        urls = [postgres.nearest(_database(postgres, f"explorer_{number}")) for number in range(count)]
        if options.folders:
            return _play(options.folders, urls[0])
        if options.schedules:
            return _play_until_broken(options.seed or 0, options.schedules, options.kind, urls[0])
        seed = options.seed if options.seed is not None else int(time.time()) * 1000
        until = time.monotonic() + options.minutes * 60
        context = multiprocessing.get_context("spawn")
        results: multiprocessing.Queue[tuple[int, int]] = context.Queue()
        workers = [
            context.Process(
                target=work, args=(url, seed + number, count, until, keep, options.kind, results), daemon=True
            )
            for number, url in enumerate(urls)
        ]
        for worker in workers:
            worker.start()
        counts = [results.get() for _ in workers]
        for worker in workers:
            worker.join()
    runs, broken = sum(one for one, _ in counts), sum(other for _, other in counts)
    sys.stdout.write(f"{runs} schedules from seed {seed} on, {broken} broke a promise; kept in {keep}\n")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="explorer", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="play these folders again, and print their logs")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, help="the first one; by default one that was never played")
    parser.add_argument("--schedules", type=int, help="play so many, and stop at the first that breaks a promise")
    parser.add_argument("--kind", choices=sorted(KINDS), help="what most of the troubles are of")
    parser.add_argument("--keep", type=Path, help="where to keep what breaks a promise; by default a new folder")
    return parser.parse_args()


def _database(postgres: Postgres, name: str) -> str:
    postgres.run(f"CREATE DATABASE {name}")
    url = postgres.named(name)
    migrate.upgrade(url)
    return url


def _play(folders: list[Path], url: str) -> int:
    stage, broken = set_stage(url), False
    for folder in folders:
        scenario = Scenario.read(folder)
        result = explore(stage, scenario.world, scenario.faults, folder)
        sys.stdout.write("\n".join([*result.log, *(f"BROKEN: {what}" for what in result.broken)]) + "\n")
        broken = broken or bool(result.broken)
    return 1 if broken else 0


def _play_until_broken(first: int, count: int, kind: str | None, url: str) -> int:
    stage = set_stage(url)
    with TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            if found := explore_seed(stage, seed, Path(folder), kind=kind).broken:
                sys.stdout.write(f"seed {seed}: {'; '.join(found)}\n")
                return 1
    sys.stdout.write(f"{count} schedules from seed {first} on broke no promise\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
