"""The table of mutants in docs/promises.md, between its two marks."""

from collections.abc import Mapping, Sequence

from local.files import repository
from mutants.catalogue import SCENARIO, Mutant

PROMISES = repository() / "docs/promises.md"
NOTHING = "**nothing**"
_BEGIN = "<!-- mutants: written by `make mutate` -->"
_END = "<!-- end of mutants -->"
_EXPLORED = "<!-- explored: written by `make mutate ARGS='--explore N'` -->"
_END_EXPLORED = "<!-- end of explored -->"
_HEAD_EXPLORED = ["| | rule that is broken | schedules | first breach |", "| --- | --- | --- | --- |"]
_HEAD = ["| | rule that is broken | file | noticed by |", "| --- | --- | --- | --- |"]


def rows() -> list[list[str]]:
    """Return the rows that stand there: promise, rule, file, and what has noticed it."""
    return _table(_BEGIN, _END, _HEAD)


def _table(begin: str, end: str, head: Sequence[str]) -> list[list[str]]:
    table = PROMISES.read_text().partition(begin)[2].partition(end)[0].strip()
    return [line.strip("| ").split(" | ") for line in table.splitlines()[len(head) :]]


def write(mutants: Sequence[Mutant], killers: Mapping[str, str | None]) -> None:
    """Put the table in; of mutants that were not tried now it says what it said before."""
    before = {rule: noticed for _, rule, _, noticed in rows()}
    table = list(_HEAD)
    for mutant in mutants:
        noticed = _shown(killers[mutant.name]) if mutant.name in killers else before.get(mutant.rule, NOTHING)
        file = mutant.file.removeprefix("lib/instance_ha/")
        table.append(f"| {mutant.promise} | {mutant.rule} | `{file}` | {noticed} |")
    _put(_BEGIN, table, _END)


def write_explored(mutants: Sequence[Mutant], found: Sequence[tuple[int, str] | None], schedules: int) -> None:
    """Put the table of what the explorer has noticed in, by whether and how soon; what was not tried now stays."""
    table = {row[1]: row for row in _table(_EXPLORED, _END_EXPLORED, _HEAD_EXPLORED)}
    for mutant, breach in zip(mutants, found, strict=True):
        after, what = breach if breach is not None else (schedules, NOTHING)
        table[mutant.rule] = [mutant.promise, mutant.rule, str(after), what]
    by_time = sorted(table.values(), key=lambda row: (row[3] == NOTHING, int(row[2]), row))
    _put(_EXPLORED, [*_HEAD_EXPLORED, *(f"| {' | '.join(row)} |" for row in by_time)], _END_EXPLORED)


def _put(begin: str, table: Sequence[str], end: str) -> None:
    head, _, rest = PROMISES.read_text().partition(begin)
    tail = rest.partition(end)[2]
    PROMISES.write_text("\n".join([f"{head}{begin}", "", *table, "", f"{end}{tail}"]))


def _shown(test: str | None) -> str:
    if test is None:
        return NOTHING
    path, _, name = test.partition("::")
    name, _, parameter = name.partition("[")
    return f"scenario `{parameter.rstrip(']')}`" if test.startswith(SCENARIO) else f"`{path}::{name}`"
