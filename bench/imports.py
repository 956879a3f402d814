"""Which imports make a start slow: ``-X importtime`` of the real server process."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.children import Served, serving
from bench.figures import markdown

_LINE = re.compile(rb"import time:\s+(\d+) \|\s+(\d+) \|( +)(\S+)")
_RUNS = 3
_SHOWN = 5


@dataclass(frozen=True)
class Import:
    """A module's first import, in microseconds."""

    name: str
    depth: int
    alone: int
    cumulative: int

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.name.split(".")[0]


@dataclass
class Cost:
    """What a package costs, in microseconds: its own modules, and with all that they import first."""

    alone: int = 0
    cumulative: int = 0


def dearest(ours: Served, hello: Served, values: Mapping[str, str], folder: Path) -> str:
    """Return a table of the dearest top-level packages that the hello world does not import."""
    known = set(costs(_profile(hello, values, folder)))
    runs = [costs(_profile(ours, values, folder)) for _ in range(_RUNS)]
    names = [name for name in runs[0] if name not in known and not name.startswith(("instance_ha", "_"))]
    both = {
        name: (
            median(run[name].cumulative if name in run else 0 for run in runs) / 1000,
            median(run[name].alone if name in run else 0 for run in runs) / 1000,
        )
        for name in names
    }
    first = sorted(names, key=lambda name: -both[name][0])[:_SHOWN]
    rows = [(name, f"{both[name][0]:.0f}", f"{both[name][1]:.0f}") for name in first]
    return markdown(("package", "cumulative ms", "own modules ms"), rows)


def _profile(served: Served, values: Mapping[str, str], folder: Path) -> list[Import]:
    path = folder / "importtime"
    with path.open("wb") as output, serving(served, values, output, "-X", "importtime"):
        pass
    return parse(path.read_bytes())


def parse(text: bytes) -> list[Import]:
    """Read the report: children stand before their parents, deeper by two blanks."""
    return [
        Import(name.decode(), len(blanks) // 2, int(alone), int(cumulative))
        for alone, cumulative, blanks, name in _LINE.findall(text)
    ]


def costs(imports: list[Import]) -> dict[str, Cost]:
    """Sum by top-level package; what a package imports of itself is counted once."""
    found: dict[str, Cost] = {}
    above: list[Import] = []
    for one in reversed(imports):
        while above and above[-1].depth >= one.depth:
            above.pop()
        cost = found.setdefault(one.package, Cost())
        cost.alone += one.alone
        if all(parent.package != one.package for parent in above):
            cost.cumulative += one.cumulative
        above.append(one)
    return found
