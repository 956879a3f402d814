"""Cold start: CPU seconds of a process and its children until it says that it is ready, beside a bare hello world."""

import compileall
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import IO

from instance_ha.store import migrate
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import temporary_state_dir

import stack
from bench import environment, imports
from bench.children import Served, cpu_seconds, hello_world, serving
from bench.figures import Row, Samples
from bench.venvs import Venvs
from local.files import repository

AIM_API, AIM_EVENT = 2.5, 3.5
_PROFILED = "api-hosts"


def measure(runs: int) -> tuple[list[Row], str]:
    """Start every function so many times, each beside a hello world; returns the figures and the dear imports."""
    functions = [function for function in stack.read(repository() / "stack.yml") if _can_be_built(function)]
    compileall.compile_dir(repository() / "functions", quiet=2)
    with ExitStack() as resources:
        folder = resources.enter_context(temporary_state_dir())
        url = resources.enter_context(EmbeddedPostgres(folder, durable=False)).dsn
        migrate.upgrade(url)
        values = environment.of_functions(folder, url)
        hello = hello_world(folder)
        output = resources.enter_context((folder / "output").open("ab"))
        venvs = Venvs(folder)
        served = {f.name: Served(f.target, f.folder / "main.py", venvs.python(f), as_image=True) for f in functions}
        rows = _rows(served, hello, values, runs, output)
        dear = imports.dearest(served[_PROFILED], hello, values, folder)
    return rows, f"Imports of {_PROFILED} that the hello world does without:\n\n{dear}"


def _can_be_built(function: stack.Function) -> bool:
    """Whether its requirements can be installed here: libvirt-python is built against libvirt's headers."""
    if "libvirt-python" not in (function.folder / "requirements.txt").read_text():
        return True
    found = shutil.which("pkg-config") and subprocess.run(["pkg-config", "--exists", "libvirt"]).returncode == 0
    if not found:
        print(f"{function.name} is left out: it needs the headers of libvirt")
    return bool(found)


def _rows(
    functions: Mapping[str, Served], hello: Served, values: Mapping[str, str], runs: int, output: IO[bytes]
) -> list[Row]:
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    for round_number in range(runs + 1):
        for name, served in functions.items():
            beside = replace(hello, python=served.python)
            bare, ours = _ready(beside, values, output), _ready(served, values, output)
            if round_number:  # the first round only warms the disk's cache
                pairs[name].append((bare, ours))
    return [_row(name, pairs[name]) for name in functions]


def _ready(served: Served, values: Mapping[str, str], output: IO[bytes]) -> float:
    with serving(served, values, output) as started:
        return cpu_seconds(started.pid)


def _row(name: str, pairs: Sequence[tuple[float, float]]) -> Row:
    bare = Samples(tuple(pair[0] for pair in pairs), "s")
    ours = Samples(tuple(pair[1] for pair in pairs), "s")
    aim = AIM_API if name.startswith("api-") else AIM_EVENT
    return Row(f"cold start of {name}, CPU", ours, "hello world", bare, aim)
