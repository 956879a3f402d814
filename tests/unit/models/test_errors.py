"""The errors: the drawing of their tree in models/errors.py is what the code says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from instance_ha.models import errors

PACKAGE = Path(errors.__file__).parent.parent


def _drawn() -> Iterator[tuple[str, str]]:
    """Each drawn error but the first, with the one above it."""
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.fullmatch(r"    ((?:│   |    )*(?:├── |└── )?)(\w+)(  .*)?", line):
            path[len(found[1]) // 4 :] = [found[2]]
            if len(path) > 1:
                yield path[-1], path[-2]


def _written() -> Iterator[tuple[str, str]]:
    """Each class of the package that is an error of ours, with the one that it is a kind of."""
    ours = {errors.InstanceHAError.__name__}
    for path in sorted(PACKAGE.rglob("*.py"), key=lambda path: path != Path(errors.__file__)):
        classes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
        for made in classes:
            for base in made.bases:
                if isinstance(base, ast.Name) and base.id in ours:
                    ours.add(made.name)
                    yield made.name, base.id


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    assert sorted(_drawn()) == sorted(_written())


def test_every_refusal_has_a_client_error_of_its_own() -> None:
    codes = [kind.code for kind in errors.Refused.__subclasses__()]
    assert len(codes) == len(set(codes))
    assert all(400 <= code < 500 for code in codes)
