"""``python -m mutants``: break each safety rule, run the tests that are named for it, and say which one has noticed."""

import argparse
import queue
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import temporary_state_dir

from local.files import repository
from mutants import document
from mutants.catalogue import NOTHING_WORKS, DoesNotApply, Mutant, every, mutate
from mutants.trial import Copy, Verdict


def main() -> int:
    """Try the mutants that were asked for; returns 1 when one of them survives."""
    options = _options()
    mutants = [mutant for mutant in every() if not options.only or mutant.name in options.only]
    for mutant in mutants:
        mutate(mutant, repository())  # before anything is begun
    with _copies(options.processes) as copies:
        if options.explore:
            return _explore(copies, mutants, options)
        if (trouble := _trouble_of_the_tree(copies, mutants)) is not None:
            print(trouble)
            return 1
        with ThreadPoolExecutor(options.processes) as pool:
            verdicts = list(pool.map(lambda mutant: _try_out(copies, mutant, everything=options.all), mutants))
    killers = {m.name: v.killed_by for m, v in zip(mutants, verdicts, strict=True) if v.killed_by is not None}
    survivors = [mutant.name for mutant in mutants if mutant.name not in killers]
    print(f"{len(killers)} of {len(mutants)} mutants were noticed; survivors: {', '.join(survivors) or 'none'}")
    document.write(every(), {mutant.name: killers.get(mutant.name) for mutant in mutants})
    return 1 if survivors else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help="mutants to try (all)")
    parser.add_argument("--processes", type=int, default=1, help="mutants that are tried at once (1)")
    parser.add_argument(
        "--explore", type=int, metavar="N", help="let the explorer play N schedules with each, instead of the tests"
    )
    parser.add_argument(
        "--all", action="store_true", help="run the whole suite on those that the named tests do not notice"
    )
    return parser.parse_args()


@contextmanager
def _copies(processes: int) -> Iterator["queue.Queue[Copy]"]:
    """Make a copy of the tree for each process, and one Postgres for all."""
    copies: queue.Queue[Copy] = queue.Queue()
    with (
        temporary_state_dir() as state,
        EmbeddedPostgres(state, durable=False) as server,
        tempfile.TemporaryDirectory(prefix="mutants-") as folder,
    ):
        made = [Copy(repository(), Path(folder) / str(number), server.dsn) for number in range(processes)]
        for copy in made:
            copies.put(copy)
        try:
            yield copies
        finally:
            for copy in made:
                copy.close()


def _trouble_of_the_tree(copies: "queue.Queue[Copy]", mutants: Sequence[Mutant]) -> str | None:
    """Run all named tests on the tree as it is: a test that fails anyway notices nothing."""
    copy = copies.get()
    verdict = copy.run(sorted({test for mutant in mutants for test in mutant.killed_by}))
    copies.put(copy)
    if verdict.killed_by is not None:
        return f"{verdict.killed_by} fails without any mutant"
    return verdict.trouble


def _trouble_of_the_explorer(copies: "queue.Queue[Copy]", schedules: int, kinds: Iterable[str | None]) -> str | None:
    """Play the tree as it is, in which nothing may break, and one without any recovery, which must be noticed."""
    copy = copies.get()
    found = [(kind, breach) for kind in kinds if (breach := copy.play(schedules, kind)) is not None]
    noticed = copy.explore(NOTHING_WORKS, schedules)
    copies.put(copy)
    if found:
        kind, (after, what) = found[0]
        return f"schedule {after} of {kind or 'all'} breaks a promise without any mutant: {what}"
    return None if noticed is not None else "the explorer does not notice that nothing is recovered"


def _explore(copies: "queue.Queue[Copy]", mutants: Sequence[Mutant], options: argparse.Namespace) -> int:
    kinds = dict.fromkeys(mutant.worlds for mutant in mutants)
    if (trouble := _trouble_of_the_explorer(copies, options.explore, kinds)) is not None:
        print(trouble)
        return 1

    def play(mutant: Mutant) -> tuple[int, str] | None:
        copy = copies.get()
        try:
            found = copy.explore(mutant, options.explore)
        finally:
            copies.put(copy)
        said = f"noticed by schedule {found[0]}: {found[1]}" if found else "not noticed"
        print(f"{mutant.promise} {mutant.name}: {said}", flush=True)
        return found

    with ThreadPoolExecutor(options.processes) as pool:
        found = list(pool.map(play, mutants))
    print(f"{sum(one is not None for one in found)} of {len(mutants)} mutants were noticed by the explorer")
    document.write_explored(mutants, found, options.explore)
    return 0


def _try_out(copies: "queue.Queue[Copy]", mutant: Mutant, *, everything: bool) -> Verdict:
    copy = copies.get()
    try:
        verdict = copy.try_out(mutant, mutant.killed_by)
        if everything and verdict == Verdict():
            verdict = copy.try_out(mutant, ())
    finally:
        copies.put(copy)
    said = f"noticed by {verdict.killed_by}" if verdict.killed_by else f"SURVIVES {verdict.trouble or ''}"
    print(f"{mutant.promise} {mutant.name}: {said}", flush=True)
    return verdict


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DoesNotApply as error:
        sys.exit(str(error))
