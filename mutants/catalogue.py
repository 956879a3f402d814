"""The mutants: small patches, exact old text to new text in a file, each with the tests that must fail for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

RULES = Path(__file__).parent / "rules"
SCENARIO = "tests/scenarios/test_scenarios.py::test_a_scenario_gives_its_expected_log"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One safety rule, broken."""

    name: str
    promise: str  # of docs/promises.md: S1, S2, …
    rule: str  # what holds without it
    file: str
    old: str
    new: str
    killed_by: tuple[str, ...]  # ids of tests for pytest
    worlds: str | None = None  # the kind of worlds in which the explorer notices it (troubles.KINDS)


NOTHING_WORKS = Mutant(
    name="nothing-works",
    promise="L1",
    rule="There are recoveries.",
    file="lib/instance_ha/recovery/workflow.py",
    old="    claim = claim_notification(world, notification_uuid)\n",
    new="    raise NotImplementedError\n    claim = claim_notification(world, notification_uuid)\n",
    killed_by=(),
)


class DoesNotApply(Exception):
    """The old text does not stand in the file exactly once: the code has changed, and the mutant must follow it."""


def every() -> list[Mutant]:
    """Read all mutants, in the order of the promises."""
    found = [mutant for file in sorted(RULES.glob("*.yaml")) for mutant in _read(file)]
    return sorted(found, key=lambda mutant: ("SLD".index(mutant.promise[0]), int(mutant.promise[1:]), mutant.name))


def _read(file: Path) -> Iterator[Mutant]:
    for entry in yaml.safe_load(file.read_text()):
        killed_by = tuple(_test(name) for name in entry.pop("killed_by"))
        yield Mutant(**entry, killed_by=killed_by)


def _test(name: str) -> str:
    """Return the id of a test; a name alone is that of a scenario's folder."""
    return name if "::" in name else f"{SCENARIO}[{name}]"


def mutate(mutant: Mutant, root: Path) -> str:
    """Return the text of the file, broken.

    Raises:
        DoesNotApply: see there.

    """
    text = (root / mutant.file).read_text()
    if text.count(mutant.old) != 1 or mutant.new == mutant.old:
        times = text.count(mutant.old)
        raise DoesNotApply(f"{mutant.name}: its old text stands in {mutant.file} {times} times, not once")
    return text.replace(mutant.old, mutant.new)


def is_there(test: str, root: Path) -> bool:
    """Say whether a test exists, by its id; of a parametrized one only a scenario's folder is looked up."""
    path, _, rest = test.partition("::")
    name, _, parameter = rest.partition("[")
    if not (root / path).is_file() or not re.search(
        rf"^def {re.escape(name)}\(", (root / path).read_text(), re.MULTILINE
    ):
        return False
    return not test.startswith(SCENARIO) or (root / "tests/scenarios" / parameter.rstrip("]") / "world.yaml").is_file()
