"""docs/promises.md is true: the tests that it names exist, and each mutant applies and was noticed."""

import re
from collections.abc import Iterator

import pytest

from local.files import repository
from mutants import document
from mutants.catalogue import NOTHING_WORKS, SCENARIO, Mutant, every, is_there, mutate

ROOT = repository()
PROMISES = ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "L1", "D1", "D2"]
MUTANTS = every()


def sections() -> Iterator[tuple[str, str]]:
    """Return the promises: the number and the text of each."""
    for part in document.PROMISES.read_text().split("\n## ")[1:]:
        number = part.partition(":")[0]
        if re.fullmatch(r"[A-Z]\d+", number):
            yield number, part


SECTIONS = dict(sections())


def named_in(text: str) -> list[str]:
    """Name the tests that a text names."""
    flowing = " ".join(text.split())
    scenarios = [f"{SCENARIO}[{name}]" for name in re.findall(r"scenario `([^`]+)`", flowing)]
    return scenarios + re.findall(r"`(tests/[^`]+::[^`]+)`", flowing)


def test_every_promise_is_there_and_names_tests_that_exist() -> None:
    assert list(SECTIONS) == PROMISES
    for number, text in SECTIONS.items():
        assert named_in(text), number
        missing = [test for test in named_in(text) if not is_there(test, ROOT)]
        assert missing == [], number


def test_a_test_that_is_not_there_is_missed() -> None:
    assert not is_there("tests/unit/test_promises.py::test_that_nobody_has_written", ROOT)
    assert not is_there(f"{SCENARIO}[no-such-folder]", ROOT)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_applies_to_the_code_of_today_and_names_tests_that_exist(mutant: Mutant) -> None:
    mutate(mutant, ROOT)  # or write the old and the new text in mutants/rules as the code is now
    assert [test for test in mutant.killed_by if not is_there(test, ROOT)] == []
    assert mutant.promise in PROMISES


def test_what_proves_that_the_explorer_plays_a_copy_applies_to_the_code_of_today() -> None:
    assert "NotImplementedError" in mutate(NOTHING_WORKS, ROOT)


def test_each_promise_has_a_rule_that_is_broken_and_the_table_has_them_all_noticed() -> None:
    assert {mutant.promise for mutant in MUTANTS} == set(PROMISES)
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    rows = document.rows()
    assert [row[:2] for row in rows] == [[mutant.promise, mutant.rule] for mutant in MUTANTS]
    for promise, rule, _, noticed in rows:
        assert [test for test in named_in(noticed) if is_there(test, ROOT)], f"{promise}: {rule}: {noticed}"
