"""Environments with what a function's image holds, and nothing else: its pinned requirements and our package."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from local.files import repository
from stack import Function


class Venvs:
    """One environment for each set of requirements."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def python(self, function: Function) -> Path:
        """Return the interpreter of a function, with everything compiled beforehand."""
        wanted = (function.folder / "requirements.txt").read_bytes()
        venv = self._folder / f"venv-{hashlib.sha256(wanted).hexdigest()[:8]}"
        python = venv / "bin" / "python"
        if not python.exists():
            _uv("venv", "--python", sys.executable, str(venv))
            install = ("pip", "install", "--python", str(python), "--compile-bytecode")
            _uv(*install, "--require-hashes", "-r", str(function.folder / "requirements.txt"))
            _uv(*install, "--no-deps", str(self._package()))
        return python

    def _package(self) -> Path:
        """Copy our package: installing builds it, and would leave its parts in the tree."""
        copy = self._folder / "lib"
        if not copy.exists():
            shutil.copytree(repository() / "lib", copy, ignore=shutil.ignore_patterns("build", "*.egg-info"))
        return copy


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([str(uv), "--quiet", *arguments], check=True)
