"""Environments with what a function's image holds, and nothing else: its pinned requirements and our package."""

import hashlib
import subprocess
import sys
from pathlib import Path

from local.files import repository
from local.stack import Function


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
            _uv(*install, "--no-deps", str(repository() / "lib"))
        return python


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([str(uv), "--quiet", *arguments], check=True)
