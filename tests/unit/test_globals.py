"""Nothing is swapped in a running process: what a test or a function needs is handed in."""

import ast

import pytest

from local.files import repository

PATCHES = {"monkeypatch", "MonkeyPatch", "mock", "mocker"}
SHARED = {"os.environ", "sys.modules"}
WRITES = {"update", "setdefault", "pop", "popitem", "clear", "__setitem__", "__delitem__"}


def found(source: str) -> list[str]:
    """List what a module patches, or writes into what the whole process shares."""
    nodes = ast.walk(ast.parse(source))
    return [ast.unparse(node) for node in nodes if _patches(node) or _writes(node)]


def _patches(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name) | ast.ImportFrom(module=str(name)):
            return name.split(".")[-1] in PATCHES
        case ast.alias(name=name):
            return bool(set(name.split(".")) & PATCHES)
    return False


def _writes(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(value=shared, ctx=ast.Store() | ast.Del()) | ast.AugAssign(target=shared):
            return ast.unparse(shared) in SHARED
        case ast.Call(func=ast.Attribute(value=shared, attr=name)):
            return (ast.unparse(shared) in SHARED and name in WRITES) or name in {"putenv", "unsetenv"}
    return False


@pytest.mark.parametrize(
    "source",
    [
        "def test(monkeypatch): pass",
        "with pytest.MonkeyPatch.context() as patch: pass",
        "from unittest.mock import patch",
        "from unittest import mock\nmock.patch('a')",
        "import unittest.mock",
        "os.environ['A'] = 'b'",
        "del os.environ['A']",
        "os.environ |= {}",
        "os.environ.update(a='b')",
        "sys.modules['a'] = None",
        "os.putenv('A', 'b')",
    ],
)
def test_each_way_to_patch_is_seen(source: str) -> None:
    assert found(source)


def test_reading_the_environment_and_writing_into_ones_own_copy_are_allowed() -> None:
    assert found("environ = dict(os.environ)\nenviron['A'] = os.environ.get('B')\nos.environ | {}") == []


@pytest.mark.parametrize("folder", ["lib", "functions", "simulator", "local", "bench", "deploy", "stack", "tests"])
def test_no_module_patches_another_or_writes_into_the_environment_of_its_process(folder: str) -> None:
    files = [file for file in (repository() / folder).rglob("*.py") if "build" not in file.parts]
    assert files
    assert {str(file): seen for file in files if (seen := found(file.read_text()))} == {}
