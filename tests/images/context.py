"""The build context of a function, laid out as ``faas-cli build`` does."""

import shutil
from pathlib import Path
from typing import Any

import yaml

_TEMPLATES = "template"
_NOT_OF_THE_HANDLER = ("build", "template")


def make(stack: Path, name: str, target: Path) -> dict[str, str]:
    """Lay out the context of a function of a stack.yml; returns the build arguments that go with it."""
    root, content = stack.parent, yaml.safe_load(stack.read_text())
    function = content["functions"][name]
    template = root / _TEMPLATES / function["lang"]
    described = yaml.safe_load((template / "template.yml").read_text())
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(template, target)
    handler = target / described.get("handler_folder", "function")
    shutil.copytree(root / function["handler"], handler, ignore=_top(root / function["handler"]), dirs_exist_ok=True)
    for path in content.get("configuration", {}).get("copy", []):
        shutil.copytree(root / path, handler / path, dirs_exist_ok=True)
    return _arguments(function, described)


def _top(folder: Path) -> Any:
    """Leave out what faas-cli leaves out, at the top only."""
    return lambda where, names: [n for n in names if Path(where) == folder and n in _NOT_OF_THE_HANDLER]


def _arguments(function: dict[str, Any], template: dict[str, Any]) -> dict[str, str]:
    options = {option["name"]: option["packages"] for option in template.get("build_options", [])}
    packages = {package for option in function.get("build_options", []) for package in options[option]}
    arguments = {key: str(value) for key, value in function.get("build_args", {}).items()}
    return arguments | ({"ADDITIONAL_PACKAGE": " ".join(sorted(packages))} if packages else {})
