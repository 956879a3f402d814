import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from local.hosting import Call, Response
from stack import Function


class FakeBackend:
    """Remembers its calls, and answers what it is told."""

    tick_at_start: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.calls: list[tuple[str, Call]] = []
        self.answer: Callable[[str, Call], Response] = lambda _name, _call: Response(200, (), b"")

    def call(self, name: str, call: Call) -> Response:
        self.calls.append((name, call))
        return self.answer(name, call)

    def stop(self) -> None:
        pass


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def make_function(tmp_path: Path) -> Callable[[str, str], Function]:
    """Writes a function's folder: the name, and the body of `def NAME(request)`."""

    def make(name: str, body: str) -> Function:
        folder = tmp_path / name
        folder.mkdir()
        target = name.replace("-", "_")
        head = f"import os, sys, functions_framework\n\n@functions_framework.http\ndef {target}(request):\n"
        (folder / "main.py").write_text(head + textwrap.indent(textwrap.dedent(body), "    "))
        return Function(name, folder)

    return make
