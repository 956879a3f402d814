"""Cold start: from the start of the process until it says that it is ready, beside a bare hello world."""

import compileall
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import IO

from instance_ha.store import migrate

from bench import environment, imports
from bench.children import Served, hello_world, serving
from bench.figures import Row, Samples
from local import stack
from local.files import repository
from local.postgres import EmbeddedPostgres, temporary_state_dir
from local.stack import Function

AIM_API, AIM_EVENT = 2.5, 3.5
_PROFILED = "api-hosts"


def measure(runs: int) -> tuple[list[Row], str]:
    """Start every function so many times, each beside a hello world; returns the figures and the dear imports."""
    functions = stack.read(repository() / "stack.yml")
    for part in ("functions", "lib"):
        compileall.compile_dir(repository() / part, quiet=2)
    with ExitStack() as resources:
        folder = resources.enter_context(temporary_state_dir())
        url = resources.enter_context(EmbeddedPostgres(folder, durable=False)).dsn
        migrate.upgrade(url)
        values = environment.of_functions(folder, url)
        hello = hello_world(folder)
        output = resources.enter_context((folder / "output").open("ab"))
        rows = _rows(functions, hello, values, runs, output)
        profiled = next((f for f in functions if f.name == _PROFILED), functions[0])
        dear = imports.dearest(_served(profiled), hello, values, folder)
    return rows, f"Imports of {profiled.name} that the hello world does without:\n\n{dear}"


def _served(function: Function) -> Served:
    return Served(function.target, function.folder / "main.py")


def _rows(
    functions: Sequence[Function], hello: Served, values: Mapping[str, str], runs: int, output: IO[bytes]
) -> list[Row]:
    pairs: dict[str, list[tuple[float, float]]] = {function.name: [] for function in functions}
    for round_number in range(runs + 1):
        for function in functions:
            bare, ours = _ready(hello, values, output), _ready(_served(function), values, output)
            if round_number:  # the first round only warms the disk's cache
                pairs[function.name].append((bare, ours))
    return [_row(function, pairs[function.name]) for function in functions]


def _ready(served: Served, values: Mapping[str, str], output: IO[bytes]) -> float:
    with serving(served, values, output) as (seconds, _):
        return seconds


def _row(function: Function, pairs: Sequence[tuple[float, float]]) -> Row:
    bare = Samples(tuple(pair[0] for pair in pairs), "s")
    ours = Samples(tuple(pair[1] for pair in pairs), "s")
    aim = AIM_API if function.name.startswith("api-") else AIM_EVENT
    return Row(f"cold start of {function.name}", ours, "hello world", bare, aim)
